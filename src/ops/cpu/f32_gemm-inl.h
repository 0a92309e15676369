// Float32 GEMM, once for each instruction set (see kernels.cc).
#if defined(SAESCOPE_OPS_CPU_F32_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SAESCOPE_OPS_CPU_F32_GEMM_INL_H_
#undef SAESCOPE_OPS_CPU_F32_GEMM_INL_H_
#else
#define SAESCOPE_OPS_CPU_F32_GEMM_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>

#include "ops/cpu/kernels.h"
#include "ops/cpu/register_block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

// Blocks as in Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008). All outputs'
// panels of so many k are packed; the same k of some rows of a stay in the second-level cache while every
// panel passes over them. Sums of so many products are added up, which rounds less than one long sum does.
inline constexpr std::size_t kGemmDepth = 512;  // about: k is cut evenly
inline constexpr std::size_t kGemmRows = 96;

/// Panels of b, [k, n] as it is stored: zeros behind the last column.
template <typename A>
HWY_INLINE void pack_columns(const GemmProblem<A, float>& p, std::size_t first_k, std::size_t depth,
                             float* panels) {
  // Few columns at a time: their panels' lines share sets of the cache. The rows of a transposed SAE lie half
  // a megabyte apart: without asking ahead, each waits for a page walk and for memory. An address behind the
  // matrix does no harm.
  constexpr std::size_t kRowsAhead = 16;
  constexpr std::size_t kCacheLine = 16;  // floats
  for (std::size_t first_n = 0; first_n < p.n; first_n += kWidestPanel) {
    const std::size_t end_n = std::min(first_n + kWidestPanel, p.n);
    for (std::size_t k = 0; k < depth; ++k) {
      const float* row = p.b + (first_k + k) * p.ldb;
      for (std::size_t n = first_n; n < end_n; n += kCacheLine) hwy::Prefetch(row + kRowsAhead * p.ldb + n);
      for (std::size_t n = first_n; n < end_n; n += kPanelCols) {
        const std::size_t cols = std::min(kPanelCols, p.n - n);
        float* place = panels + n * depth + k * kPanelCols;
        std::fill(std::copy_n(row + n, cols, place), place + kPanelCols, 0.0f);
      }
    }
  }
}

/// Panels of b, [n, k] as it is stored.
template <typename A>
HWY_INLINE void pack_rows(const GemmProblem<A, float>& p, std::size_t first_k, std::size_t depth,
                          float* panels) {
  std::array<const float*, kPanelCols> rows;
  for (std::size_t n = 0; n < p.n; n += kPanelCols) {
    const std::size_t cols = std::min(kPanelCols, p.n - n);
    for (std::size_t i = 0; i < cols; ++i) rows[i] = p.b + (n + i) * p.ldb + first_k;
    pack_transposed(rows.data(), cols, depth, panels + n * depth);
  }
}

/// c = bias, or c + bias where the product is added.
template <typename A>
HWY_INLINE void begin_sums(const GemmProblem<A, float>& p) {
  for (std::size_t r = 0; r < p.m; ++r) {
    float* row = p.c + r * p.ldc;
    if (!p.accumulate) std::fill_n(row, p.n, 0.0f);
    if (p.bias == nullptr) continue;
    for (std::size_t n = 0; n < p.n; ++n) row[n] += p.bias[n];
  }
}

/// c[:, 0:cols] += a · panel. @param cols < kPanelCols: more would be written behind c's rows
HWY_INLINE void multiply_narrow(const float* a, std::size_t rows, std::size_t depth, const float* panel,
                                float* c, std::size_t ldc, std::size_t cols) {
  HWY_ALIGN float sums[kGemmRows * kPanelCols];
  for (std::size_t r = 0; r < rows; ++r) {
    float* row = sums + r * kPanelCols;
    std::fill(std::copy_n(c + r * ldc, cols, row), row + kPanelCols, 0.0f);
  }
  multiply_rows(a, depth, rows, depth, panel, sums, kPanelCols, true);
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(sums + r * kPanelCols, cols, c + r * ldc);
}

/// How many k are summed up at once; depends on k alone, as bits do.
HWY_INLINE std::size_t depth_of_sums(std::size_t k) {
  const std::size_t parts = std::max<std::size_t>(1, (k + kGemmDepth / 2) / kGemmDepth);
  return (k + parts - 1) / parts;
}

HWY_INLINE void load_row(const float* a, std::size_t size, float* row) { std::copy_n(a, size, row); }

HWY_INLINE void load_row(const BFloat16* a, std::size_t size, float* row) {
  const Floats d;
  const hn::RebindToUnsigned<Floats> du;
  const hn::Rebind<uint16_t, Floats> halves;
  std::size_t i = 0;
  for (; i + kVecLanes <= size; i += kVecLanes) {
    const auto bits = hn::PromoteTo(du, hn::LoadU(halves, reinterpret_cast<const uint16_t*>(a + i)));
    hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(bits)), d, row + i);
  }
  for (; i < size; ++i) row[i] = to_float(a[i]);
}

/// Kernels::f32_gemm and f32_gemm_of_bf16.
template <typename A>
void f32_gemm(const GemmProblem<A, float>& p, F32GemmWorkspace& work) {
  const std::size_t padded = (p.n + kPanelCols - 1) / kPanelCols * kPanelCols;
  const std::size_t most_depth = depth_of_sums(p.k);
  work.reserve(most_depth * padded, most_depth * std::min(kGemmRows, p.m));
  begin_sums(p);
  for (std::size_t first_k = 0; first_k < p.k; first_k += most_depth) {
    const std::size_t depth = std::min(most_depth, p.k - first_k);
    float* const panels = work.panels.data();
    p.b_rows_are_outputs ? pack_rows(p, first_k, depth, panels) : pack_columns(p, first_k, depth, panels);
    for (std::size_t first_row = 0; first_row < p.m; first_row += kGemmRows) {
      const std::size_t rows = std::min(kGemmRows, p.m - first_row);
      for (std::size_t r = 0; r < rows; ++r) {
        load_row(p.a + (first_row + r) * p.lda + first_k, depth, work.rows.data() + r * depth);
      }
      for (std::size_t n = 0; n < p.n; n += kPanelCols) {
        const float* panel = panels + n * depth;
        float* c = p.c + first_row * p.ldc + n;
        if (p.n - n < kPanelCols) {
          multiply_narrow(work.rows.data(), rows, depth, panel, c, p.ldc, p.n - n);
        } else {
          multiply_rows(work.rows.data(), depth, rows, depth, panel, c, p.ldc, true);
        }
      }
    }
  }
}

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
