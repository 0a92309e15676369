#pragma once

#include <cstddef>

#include "tensor/dtype.h"

namespace saescope {

/// Expands `elements` elements (whole blocks) of any floating dtype, plain or quantised, to float32.
/// Bit-equal to `gguf.quants.dequantize` of the Python package gguf. Block layouts: ggml-common.h.
void dequantize(DType dtype, const std::byte* source, std::size_t elements, float* destination);

}  // namespace saescope
