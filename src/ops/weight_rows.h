#pragma once

#include <cstddef>

#include "tensor/tensor_view.h"

namespace saescope {

/// Rows [first, first + count) of a weight [out, in] as dense float32, whatever its dtype and strides.
/// @param destination [count, in]
void load_weight_rows(const TensorView& weight, std::size_t first, std::size_t count, float* destination);

/// Outputs [first, first + count) of a weight [out, in] as a view.
TensorView weight_outputs(const TensorView& weight, std::size_t first, std::size_t count);

}  // namespace saescope
