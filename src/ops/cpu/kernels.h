#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ops/backend.h"
#include "ops/cpu/amx_gemm.h"
#include "ops/cpu/gemm_problem.h"
#include "tensor/buffer.h"

namespace saescope {

/// What Kernels::f32_gemm packs its operands into; grows with the problems it has seen.
struct F32GemmWorkspace {
  Buffer<float> panels;  ///< some k of all outputs
  Buffer<float> rows;    ///< the same k of some rows of a

  void reserve(std::size_t panel_elements, std::size_t row_elements);
};

/// Queries on one path of the tree against one key/value head. Rows are (query token, head of the group)
/// pairs.
struct AttentionBlock {
  MatrixView<const float> q;          ///< [queries, heads · head_dim]
  MatrixView<const float> k, v;       ///< [nodes, kv_heads · head_dim]
  std::span<const std::size_t> path;  ///< nodes from the root to the block's last query
  std::size_t first_query = 0;        ///< row of q
  std::size_t queries = 0;            ///< each the child of the one before
  std::size_t kv_head = 0;
  const AttentionShape& shape;
};

/// Columns of the widest register block: four AVX-512 registers.
inline constexpr std::size_t kWidestPanel = 64;

/// What Kernels::attend works in, for blocks of up to `max_rows` rows.
struct AttentionWorkspace {
  AttentionWorkspace(std::size_t max_rows, std::size_t head_dim);

  std::size_t padded_dim;    ///< head_dim in whole panels of every instruction set
  Buffer<float> queries;     ///< [rows, head_dim]
  Buffer<float> keys;        ///< a panel: [head_dim, some keys]
  Buffer<float> values;      ///< a panel: [keys of a tile, some of head_dim]
  Buffer<float> scores;      ///< [rows, keys of a tile]
  Buffer<float> sums;        ///< [rows, padded_dim]: Σ p·v so far, at the end the result
  std::vector<float> top;    ///< [rows]: largest score so far
  std::vector<float> total;  ///< [rows]: Σ p so far
};

/// Keys that are scored at once. A tile starts at a multiple of it, so a query's result does not depend on
/// which other prompts share its wave.
inline constexpr std::size_t kAttentionTile = 256;

/// Where a row of results goes: as float32 or, rounded once, as bfloat16. One of them is null.
struct RowOutput {
  float* f32 = nullptr;
  BFloat16* bf16 = nullptr;
};

/// The CPU's inner loops as one instruction set runs them. Every set gives the same bits, but for bf16_gemm:
/// sums have one order, with sixteen lanes where they run along a row, every multiplication that is added to
/// something is fused with the addition, and e^x is the kernels' own.
struct Kernels {
  const char* name;  ///< "avx2", "avx512", "amx" (which is AVX-512 but for bf16_gemm), "neon"

  /// Float32 GEMM on the calling thread. Every element of the result is summed in one order of k, so its bits
  /// depend on its row of a and its output of b alone: not on other rows or outputs, nor on how b is stored.
  void (*f32_gemm)(const GemmProblem<float>& problem, F32GemmWorkspace& work);

  /// The same with bfloat16 rows of a, for processors without units that multiply them.
  void (*f32_gemm_of_bf16)(const GemmProblem<BFloat16, float>& problem, F32GemmWorkspace& work);

  /// Softmax(q · kᵀ · scale) · v of a block into work.sums, with the online softmax of FlashAttention (Dao et
  /// al. 2022).
  void (*attend)(const AttentionBlock& block, AttentionWorkspace& work);

  /// out = x / sqrt(mean(x²) + epsilon) · weight of one row of `size`, or added to out (float32 only).
  void (*rms_norm)(const float* x, const float* weight, std::size_t size, float epsilon, RowOutput out,
                   Store store);

  /// out = function(gate) · up of `size` elements.
  void (*glu)(GateFunction function, const float* gate, const float* up, std::size_t size, RowOutput out);

  /// out = values.
  void (*store)(const float* values, std::size_t size, RowOutput out);

  /// Rotates one head of 2 · half elements in place. @param cosine, sine [half]
  void (*rotate)(float* head, const float* cosine, const float* sine, std::size_t half, RopeLayout layout);

  /// amx_gemm, or null: oneDNN (Bf16Gemm) multiplies bfloat16.
  void (*bf16_gemm)(const GemmProblem<BFloat16>& problem, AmxGemmWorkspace& work) = nullptr;
};

/// A name for the bits that the kernels give: another one whenever they change.
inline constexpr const char* kKernelNumerics = "f32 kernels 2";

/// The kernels of every instruction set of this build, the best first.
std::vector<const Kernels*> built_kernels();

/// Those that this processor runs, the best first. Not empty. A limit of oneDNN below AMX counts for "amx",
/// too.
std::vector<const Kernels*> runnable_kernels();

/// The best that this processor runs; SAESCOPE_MAX_CPU_ISA, the name of an instruction set, keeps it from
/// larger ones.
/// @throws InputError if the variable holds no such name
const Kernels& preferred_kernels();

}  // namespace saescope
