#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor_view.h"

namespace saescope {

/// The activations of consecutive prompts at one layer.
struct ActivationBatch {
  std::size_t layer = 0;
  std::span<const std::size_t> prompt_indices;  ///< [prompts], ascending
  /// [token types · prompts, hidden]: all prompts at the first token type, then at the second, …
  MatrixView<const float> activations;
  /// Where the activations of all tokens were asked for: those of the wave's distinct prefixes [nodes,
  /// hidden], and for each prompt its tokens' nodes. Else empty.
  MatrixView<const float> nodes = {};
  std::span<const std::vector<int32_t>> paths = {};
};

/// Residual-stream activations, wherever they come from: computed, from the cache, from a file. Prompts come
/// in order at each layer, so that what is summed over prompts is summed in the same order however they are
/// cut into batches.
class ActivationStream {
 public:
  virtual ~ActivationStream() = default;
  /// @param batch what it points to is valid until the next call @return false behind the last batch
  virtual bool next(ActivationBatch& batch) = 0;
};

}  // namespace saescope
