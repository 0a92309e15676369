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
  Buffer<float> sums;  ///< [m, 64], where fewer columns are left
  std::vector<const float*> a;
  std::vector<float*> c;
};

/// c = bias, or c + bias where the product is added.
void begin_sums(const GemmProblem<float>& p) {
  for (std::size_t r = 0; r < p.m; ++r) {
    float* row = p.c + r * p.ldc;
    if (!p.accumulate) std::fill_n(row, p.n, 0.0f);
    if (p.bias == nullptr) continue;
    for (std::size_t n = 0; n < p.n; ++n) row[n] += p.bias[n];
  }
}

/// c[:, first_n : first_n + cols] += a[:, …] · panel, where work.a points to the rows of a. cols ≤ 64
void multiply_panel(const GemmProblem<float>& p, std::size_t depth, std::size_t first_n, std::size_t cols,
                    Workspace& work) {
  const bool whole = cols == kBlockCols;
  for (std::size_t r = 0; r < p.m; ++r) {
    float* place = p.c + r * p.ldc + first_n;
    work.c[r] = whole ? place : work.sums.data() + r * kBlockCols;
    if (whole) continue;
    std::fill_n(std::copy_n(place, cols, work.c[r]), kBlockCols - cols, 0.0f);
  }
  multiply_rows(work.a.data(), p.m, depth, work.panel.data(), kBlockCols, work.c.data(), true);
  if (whole) return;
  for (std::size_t r = 0; r < p.m; ++r) std::copy_n(work.c[r], cols, p.c + r * p.ldc + first_n);
}

}  // namespace

void f32_gemm(const GemmProblem<float>& p) {
  Workspace work(p.m);
  begin_sums(p);
  // Depth outside: this part of a stays in the second-level cache, and of a transposed b the same pages are
  // read for all columns.
  for (std::size_t first_k = 0; first_k < p.k; first_k += kDepth) {
    const std::size_t depth = std::min(kDepth, p.k - first_k);
    for (std::size_t r = 0; r < p.m; ++r) work.a[r] = p.a + r * p.lda + first_k;
    for (std::size_t first_n = 0; first_n < p.n; first_n += kBlockCols) {
      const std::size_t cols = std::min(kBlockCols, p.n - first_n);
      pack_panel(p, first_k, depth, first_n, cols, work.panel.data());
      multiply_panel(p, depth, first_n, cols, work);
    }
  }
}

}  // namespace saescope
