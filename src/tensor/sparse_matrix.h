#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/buffer.h"

namespace saescope {

/// An element of a matrix that is not 0.
struct MatrixEntry {
  uint32_t row = 0;
  uint32_t col = 0;
  float value = 0;
  bool operator==(const MatrixEntry&) const = default;
};

/// A view of a matrix [rows, cols] as the elements that are not 0.
struct SparseMatrixView {
  std::span<const MatrixEntry> entries;  ///< by row, then column
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t first_row = 0;  ///< the entries' row that is row 0 of this matrix

  /// The row of this matrix that an entry of it is in.
  std::size_t row_of(const MatrixEntry& entry) const { return entry.row - first_row; }

  SparseMatrixView rows_from(std::size_t first, std::size_t count) const {
    const auto at = [&](std::size_t row) {
      return std::lower_bound(entries.begin(), entries.end(), first_row + row,
                              [](const MatrixEntry& entry, std::size_t bound) { return entry.row < bound; });
    };
    return {{at(first), at(first + count)}, count, cols, first_row + first};
  }
};

inline Matrix<float> to_dense(const SparseMatrixView& sparse) {
  Matrix<float> dense(sparse.rows, sparse.cols);
  std::fill_n(dense.row(0), sparse.rows * sparse.cols, 0.0f);
  for (const MatrixEntry& entry : sparse.entries) dense.row(sparse.row_of(entry))[entry.col] = entry.value;
  return dense;
}

}  // namespace saescope
