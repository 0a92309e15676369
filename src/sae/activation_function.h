#pragma once

#include "sae/dictionary.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Which of the dictionary's features column c of a block is: ids[c], or first + c where ids is null.
struct FeatureColumns {
  std::size_t first = 0;
  const int64_t* ids = nullptr;
  std::size_t operator()(std::size_t column) const {
    return ids == nullptr ? first + column : static_cast<std::size_t>(ids[column]);
  }
};

/// Turns y = W · (x − input_bias) into activations, in place.
/// @param y [rows, features]
/// kTopK is treated like kRelu here: the choice of the k largest needs the whole row.
void apply_activation_function(const EncoderParameters& parameters, const FeatureColumns& columns,
                               MatrixView<float> y);

}  // namespace saescope
