#pragma once

#include <stdexcept>

#include "ops/encode/encoder_parameters.h"
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

/// An activation is NaN or infinite. Who asked for it knows which prompt the row belongs to.
struct NotFiniteActivation : std::runtime_error {
  NotFiniteActivation(std::size_t at_row, std::size_t of_feature)
      : std::runtime_error("an SAE's activation is not a finite number"), row(at_row), feature(of_feature) {}
  std::size_t row;
  std::size_t feature;
};

/// Turns y = W · (x − input_bias) into activations, in place.
/// @param y [rows, features]
/// kTopK and kGroupMax are treated like kRelu here: their choice needs the whole row.
/// @throws NotFiniteActivation
void apply_activation_function(const EncoderParameters& parameters, const FeatureColumns& columns,
                               MatrixView<float> y);

}  // namespace saescope
