#pragma once

#include <cstddef>
#include <vector>

#include "tensor/tensor_view.h"

namespace saescope {

/// A feature that a row keeps.
struct RowHit {
  float activation;
  std::size_t feature;
};

/// The k largest activations of each row, found while blocks of features pass by: memory O(rows · k).
/// Equal activations: the lower feature id wins. Zeros are never kept.
class RowTopK {
 public:
  RowTopK(std::size_t rows, std::size_t k) : k_(k), heaps_(rows) {}
  /// @param block [rows, features] non-negative activations, blocks in any order
  void add(std::size_t first_feature, MatrixView<const float> block);
  /// The hits of a row, by ascending feature. Call once all blocks were added.
  std::vector<RowHit> take(std::size_t row);

 private:
  std::size_t k_;
  std::vector<std::vector<RowHit>> heaps_;  ///< per row, the weakest hit first
};

/// The largest activation of each group of neighbouring features of each row: memory O(rows · groups). Equal
/// activations: the lower feature id wins. Zeros are never kept.
class RowGroupMax {
 public:
  /// @param group_size features of a group
  RowGroupMax(std::size_t rows, std::size_t groups, std::size_t group_size)
      : groups_(groups), group_size_(group_size), best_(rows * groups, RowHit{0, 0}) {}
  /// As of RowTopK.
  void add(std::size_t first_feature, MatrixView<const float> block);
  std::vector<RowHit> take(std::size_t row);

 private:
  std::size_t groups_;
  std::size_t group_size_;
  std::vector<RowHit> best_;  ///< [rows, groups]
};

}  // namespace saescope
