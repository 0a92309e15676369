#pragma once

#include <cstddef>
#include <vector>

#include "tensor/tensor_view.h"

namespace saescope {

/// The k largest activations of each row, found while blocks of features pass by: memory O(rows · k).
/// Equal activations: the lower feature id wins. Zeros are never kept.
class RowTopK {
 public:
  struct Hit {
    float activation;
    std::size_t feature;
  };

  RowTopK(std::size_t rows, std::size_t k) : k_(k), heaps_(rows) {}
  /// @param block [rows, features] non-negative activations, blocks in any order
  void add(std::size_t first_feature, MatrixView<const float> block);
  /// The hits of a row, by ascending feature. Call once all blocks were added.
  std::vector<Hit> take(std::size_t row);

 private:
  std::size_t k_;
  std::vector<std::vector<Hit>> heaps_;  ///< per row, the weakest hit first
};

}  // namespace saescope
