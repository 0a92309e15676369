// The inner loop of every matrix product, once for each instruction set (see kernels.cc).
#if defined(SAESCOPE_OPS_CPU_REGISTER_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SAESCOPE_OPS_CPU_REGISTER_BLOCK_INL_H_
#undef SAESCOPE_OPS_CPU_REGISTER_BLOCK_INL_H_
#else
#define SAESCOPE_OPS_CPU_REGISTER_BLOCK_INL_H_
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstddef>

#include "ops/cpu/kernels.h"
#include "ops/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

/// A register block is 6 rows × some vectors of sums; a row of b and an element of a need registers as well.
/// With sixteen registers (AVX2) that makes 2 vectors, with thirty-two (AVX-512, NEON) 4.
inline constexpr std::size_t kBlockRows = 6;
inline constexpr std::size_t kBlockVecs = HWY_TARGET == HWY_AVX2 ? 2 : 4;
/// Columns of a register block, and of a panel: the part of b, packed, that it is multiplied with.
inline constexpr std::size_t kPanelCols = kBlockVecs * kVecLanes;
static_assert(kPanelCols <= kWidestPanel && kPanelCols % kLanes == 0);

/// c[r, :] (+)= Σ_i a[r, i] · panel[i, :] for `Rows` rows. Each element is summed in the order of i, and that
/// sum added to c where it accumulates, so its bits depend on nothing but its row of a and its column of b.
template <std::size_t Rows>
HWY_INLINE void multiply_block(const float* HWY_RESTRICT a, std::size_t lda, std::size_t depth,
                               const float* HWY_RESTRICT panel, float* HWY_RESTRICT c, std::size_t ldc,
                               bool accumulate) {
  const Floats d;
  for (std::size_t r = 0; r < Rows; ++r) hwy::Prefetch(c + r * ldc);
  Vec sums[Rows][kBlockVecs];
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t t = 0; t < kBlockVecs; ++t) sums[r][t] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < depth; ++i) {
    Vec row[kBlockVecs];
    for (std::size_t t = 0; t < kBlockVecs; ++t) row[t] = hn::Load(d, panel + i * kPanelCols + t * kVecLanes);
    for (std::size_t r = 0; r < Rows; ++r) {
      const Vec factor = hn::Set(d, a[r * lda + i]);
      for (std::size_t t = 0; t < kBlockVecs; ++t) sums[r][t] = hn::MulAdd(factor, row[t], sums[r][t]);
    }
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t t = 0; t < kBlockVecs; ++t) {
      float* place = c + r * ldc + t * kVecLanes;
      hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, place), sums[r][t]) : sums[r][t], d, place);
    }
  }
}

/// The same for any number of rows.
/// @param a [rows, depth], rows lda apart @param panel [depth, kPanelCols], aligned to a vector
/// @param c [rows, kPanelCols], rows ldc apart
template <std::size_t Rows = kBlockRows>
HWY_NOINLINE void multiply_rows(const float* a, std::size_t lda, std::size_t rows, std::size_t depth,
                                const float* panel, float* c, std::size_t ldc, bool accumulate) {
  for (; rows >= Rows; rows -= Rows, a += Rows * lda, c += Rows * ldc) {
    multiply_block<Rows>(a, lda, depth, panel, c, ldc, accumulate);
  }
  if constexpr (Rows > 1) {
    if (rows > 0) multiply_rows<Rows - 1>(a, lda, rows, depth, panel, c, ldc, accumulate);
  }
}

/// to[k, n] = from[n][k] for a square of four.
HWY_INLINE void transpose_square(const float* const* from, std::size_t first, float* to) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> pairs;
  const auto row0 = hn::LoadU(d, from[0] + first);
  const auto row1 = hn::LoadU(d, from[1] + first);
  const auto row2 = hn::LoadU(d, from[2] + first);
  const auto row3 = hn::LoadU(d, from[3] + first);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + kPanelCols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * kPanelCols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * kPanelCols);
}

/// A panel of rows that become columns, zeros behind: panel[k, n] = rows[n][k].
/// @param cols ≤ kPanelCols, the number of rows
HWY_INLINE void pack_transposed(const float* const* rows, std::size_t cols, std::size_t depth, float* panel) {
  constexpr std::size_t kSquare = 4;
  constexpr std::size_t kCacheLine = 16;  // floats
  if (cols < kPanelCols) std::fill_n(panel, depth * kPanelCols, 0.0f);
  std::size_t n = 0;
  for (; n + kSquare <= cols; n += kSquare) {
    const std::size_t next = std::min(n + kSquare, cols - kSquare);
    std::size_t k = 0;
    for (; k + kSquare <= depth; k += kSquare) {
      if (k % kCacheLine == 0) {
        for (std::size_t i = next; i < next + kSquare; ++i) hwy::Prefetch(rows[i] + k);
      }
      transpose_square(rows + n, k, panel + k * kPanelCols + n);
    }
    for (; k < depth; ++k) {
      for (std::size_t i = n; i < n + kSquare; ++i) panel[k * kPanelCols + i] = rows[i][k];
    }
  }
  for (; n < cols; ++n) {
    for (std::size_t k = 0; k < depth; ++k) panel[k * kPanelCols + n] = rows[n][k];
  }
}

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
