#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/backend.h"

namespace saescope {

/// cos and sin of position · inverse frequency for positions 0 … n-1, each [n, head_dim / 2].
class RopeTable {
 public:
  /// Makes sure that the table holds these frequencies up to `max_position`.
  void prepare(const RopeFrequencies& frequencies, int32_t max_position);
  const float* cosine(int32_t position) const { return cosine_.data() + row(position); }
  const float* sine(int32_t position) const { return sine_.data() + row(position); }

 private:
  std::size_t row(int32_t position) const { return static_cast<std::size_t>(position) * inverse_.size(); }
  std::vector<float> inverse_;
  std::vector<float> cosine_;
  std::vector<float> sine_;
};

// The element-wise operators of Backend on `threads` threads; out may be f32 or bf16.
void cpu_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                  int threads);
void cpu_rope(const Array& x, std::span<const int32_t> positions, RopeLayout layout, const RopeTable& table,
              std::size_t half, int threads);

/// out[:, first_col …] = silu(gate) ⊙ up, on the calling thread. @param gate, up [rows, cols]
void cpu_swiglu(MatrixView<const float> gate, MatrixView<const float> up, const Array& out,
                std::size_t first_col);

/// Writes a row of floats as f32 or, rounded once, as bf16.
void store_row(const Array& out, std::size_t row, std::size_t first_col, const float* values,
               std::size_t count);

}  // namespace saescope
