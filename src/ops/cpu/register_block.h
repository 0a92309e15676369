#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "ops/cpu/vector_math.h"

namespace saescope {

/// Columns of a register block: four 16-lane vectors.
inline constexpr std::size_t kBlockCols = 64;
/// Rows of a register block: 6 · 4 accumulators leave room for a row of b in 32 registers.
inline constexpr std::size_t kBlockRows = 6;

/// c[r, 0:64] (+)= Σ_i a[r, i] · b[i, 0:64] for `Rows` rows. Each element is summed in the order of i, and
/// that sum added to c where it accumulates, so its bits depend on nothing but its row of a and its column of
/// b.
template <std::size_t Rows>
void multiply_register_block(const float* const* a, std::size_t depth, const float* b, std::size_t ldb,
                             float* const* c, bool accumulate) {
  constexpr std::size_t kVecs = kBlockCols / kLanes;
  Vec16 sums[Rows][kVecs];
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t t = 0; t < kVecs; ++t) sums[r][t] = Vec16{};
  }
  for (std::size_t i = 0; i < depth; ++i) {
    Vec16 row[kVecs];
    for (std::size_t t = 0; t < kVecs; ++t) row[t] = load16(b + i * ldb + t * kLanes);
    for (std::size_t r = 0; r < Rows; ++r) {
      const Vec16 factor = splat(a[r][i]);
      for (std::size_t t = 0; t < kVecs; ++t) sums[r][t] += factor * row[t];
    }
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t t = 0; t < kVecs; ++t) {
      float* place = c[r] + t * kLanes;
      store16(place, accumulate ? load16(place) + sums[r][t] : sums[r][t]);
    }
  }
}

/// The same for any number of rows.
/// @param a rows of [depth] @param b [depth, 64], rows ldb apart @param c rows of [64]
inline void multiply_rows(const float* const* a, std::size_t rows, std::size_t depth, const float* b,
                          std::size_t ldb, float* const* c, bool accumulate) {
  using Kernel = void (*)(const float* const*, std::size_t, const float*, std::size_t, float* const*, bool);
  constexpr std::array<Kernel, kBlockRows> kKernels = {
      multiply_register_block<1>, multiply_register_block<2>, multiply_register_block<3>,
      multiply_register_block<4>, multiply_register_block<5>, multiply_register_block<6>};
  for (std::size_t r = 0; r < rows; r += kBlockRows) {
    kKernels[std::min(kBlockRows, rows - r) - 1](a + r, depth, b, ldb, c + r, accumulate);
  }
}

}  // namespace saescope
