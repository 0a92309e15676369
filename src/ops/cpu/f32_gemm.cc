#include "ops/cpu/f32_gemm.h"

#include <algorithm>
#include <vector>

#include "ops/cpu/register_block.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

constexpr std::size_t kPrefetchRows = 16;
// Rows of a packed panel: 256 · 64 floats fit the second-level cache. Sums of so many products are added up,
// which rounds less than one long sum does.
constexpr std::size_t kDepth = 256;

/// The rows of a transposed SAE lie half a megabyte apart: without asking ahead, each waits for a page walk
/// and for memory. An address behind the matrix does no harm.
void prefetch_row(const float* row, std::size_t cols) {
  constexpr std::size_t kCacheLine = 16;  // floats
  for (std::size_t n = 0; n < cols; n += kCacheLine) __builtin_prefetch(row + n);
}

/// Rows [first_k, first_k + depth) and columns [first_n, first_n + cols) of b as [depth, 64], zeros behind.
void pack_panel(const GemmProblem<float>& p, std::size_t first_k, std::size_t depth, std::size_t first_n,
                std::size_t cols, float* panel) {
  if (cols < kBlockCols) std::fill_n(panel, depth * kBlockCols, 0.0f);
  if (!p.b_rows_are_outputs) {
    for (std::size_t k = 0; k < depth; ++k) {
      const float* row = p.b + (first_k + k) * p.ldb + first_n;
      prefetch_row(row + kPrefetchRows * p.ldb, cols);
      std::copy_n(row, cols, panel + k * kBlockCols);
    }
    return;
  }
  for (std::size_t n = 0; n < cols; ++n) {
    const float* row = p.b + (first_n + n) * p.ldb + first_k;
    for (std::size_t k = 0; k < depth; ++k) panel[k * kBlockCols + n] = row[k];
  }
}

/// What one thread works in.
struct Workspace {
  explicit Workspace(std::size_t rows)
      : panel(kDepth * kBlockCols), sums(rows * kBlockCols), a(rows), c(rows) {}
  Buffer<float> panel;
  Buffer<float> sums;  ///< [m, 64]
  std::vector<const float*> a;
  std::vector<float*> c;
};

/// Columns [first_n, first_n + cols) of the result, cols ≤ 64.
void multiply_panel(const GemmProblem<float>& p, std::size_t first_n, std::size_t cols, Workspace& work) {
  for (std::size_t r = 0; r < p.m; ++r) {
    work.c[r] = work.sums.data() + r * kBlockCols;
    std::fill_n(work.c[r], kBlockCols, 0.0f);
    if (p.accumulate) std::copy_n(p.c + r * p.ldc + first_n, cols, work.c[r]);
    if (p.bias == nullptr) continue;
    for (std::size_t n = 0; n < cols; ++n) work.c[r][n] += p.bias[first_n + n];
  }
  for (std::size_t first_k = 0; first_k < p.k; first_k += kDepth) {
    const std::size_t depth = std::min(kDepth, p.k - first_k);
    pack_panel(p, first_k, depth, first_n, cols, work.panel.data());
    for (std::size_t r = 0; r < p.m; ++r) work.a[r] = p.a + r * p.lda + first_k;
    multiply_rows(work.a.data(), p.m, depth, work.panel.data(), kBlockCols, work.c.data(), true);
  }
  for (std::size_t r = 0; r < p.m; ++r) std::copy_n(work.c[r], cols, p.c + r * p.ldc + first_n);
}

}  // namespace

void f32_gemm(const GemmProblem<float>& problem) {
  Workspace work(problem.m);
  for (std::size_t first = 0; first < problem.n; first += kBlockCols) {
    multiply_panel(problem, first, std::min(kBlockCols, problem.n - first), work);
  }
}

}  // namespace saescope
