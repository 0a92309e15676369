#pragma once

#include <cstdint>
#include <span>

#include "ops/backend.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/rope_table.h"

namespace saescope {

// The element-wise operators of Backend on `threads` threads; out may be f32 or bf16.
void cpu_rms_norm(const Kernels& kernels, const Array& x, std::span<const float> weight, float epsilon,
                  const Array& out, Store store, int threads);
void cpu_rope(const Kernels& kernels, const Array& x, std::span<const int32_t> positions, RopeLayout layout,
              const RopeTable& table, std::size_t half, int threads);

/// out[:, first_col …] = function(gate) ⊙ up, on the calling thread. @param gate, up [rows, cols]
void cpu_glu(const Kernels& kernels, GateFunction function, MatrixView<const float> gate,
             MatrixView<const float> up, const Array& out, std::size_t first_col);

/// The place of row r from column first_col on, in an array of float32 or bfloat16.
RowOutput row_output(const Array& out, std::size_t r, std::size_t first_col);

}  // namespace saescope
