#pragma once

#include "ops/array.h"

namespace saescope {

/// An uninitialised array in host memory, aligned to 64 bytes. @throws std::bad_alloc
Array allocate_host_array(std::size_t rows, std::size_t cols, DType dtype);

/// Row-wise copies between host matrices and host arrays of one shape.
void copy_rows(MatrixView<const float> source, MatrixView<float> destination);

}  // namespace saescope
