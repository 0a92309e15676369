#pragma once

#include <cstddef>
#include <functional>
#include <variant>

#include "tensor/sparse_matrix.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Activations of neighbouring features for all rows [rows, features]: each of them, or those that are not 0.
using FeatureBlock = std::variant<MatrixView<const float>, SparseMatrixView>;

/// Receives the activations of features [first_feature, first_feature + block.cols) for all rows. Called from
/// several threads at once, for different blocks, in no order. @param block valid during the call
using FeatureSink = std::function<void(std::size_t first_feature, const FeatureBlock& block)>;

/// Calls visit(row, column, activation) for each activation of a block that is not 0, by row, then column.
template <typename Visit>
void for_each_hit(const FeatureBlock& block, Visit&& visit) {
  if (const auto* const sparse = std::get_if<SparseMatrixView>(&block)) {
    for (const MatrixEntry& entry : sparse->entries) visit(sparse->row_of(entry), entry.col, entry.value);
    return;
  }
  const auto& dense = std::get<MatrixView<const float>>(block);
  for (std::size_t r = 0; r < dense.rows; ++r) {
    for (std::size_t c = 0; c < dense.cols; ++c) {
      if (dense.row(r)[c] != 0) visit(r, c, dense.row(r)[c]);
    }
  }
}

}  // namespace saescope
