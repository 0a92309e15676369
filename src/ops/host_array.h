#pragma once

#include "ops/array.h"

namespace saescope {

/// An uninitialised array in host memory, aligned to 64 bytes. @throws std::bad_alloc
Array allocate_host_array(std::size_t rows, std::size_t cols, DType dtype);

/// Row-wise copies between host matrices and host arrays of one shape, as Backend::upload and download.
void copy_to_array(MatrixView<const float> source, const Array& destination);
void copy_from_array(const Array& source, MatrixView<float> destination);

}  // namespace saescope
