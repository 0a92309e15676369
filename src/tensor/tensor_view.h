#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tensor/dtype.h"

namespace saescope {

using Shape = std::vector<uint64_t>;

/// "[131072, 4096]".
std::string to_string(const Shape& shape);

/// Product of the extents; 1 for a scalar. Precondition: checked when the file was parsed.
uint64_t element_count(const Shape& shape);

/// Row-major strides in elements.
std::vector<uint64_t> contiguous_strides(const Shape& shape);

/// A tensor whose element type is known at run time only. Does not own its bytes, which usually lie in
/// a mapped file; whoever parsed them has checked that every element is inside the mapping.
/// Quantised tensors are always contiguous, with blocks along the last axis.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  std::vector<uint64_t> strides;  ///< in elements, same length as shape
  const std::byte* data = nullptr;

  /// A contiguous tensor.
  static TensorView dense(DType dtype, Shape shape, const std::byte* data) {
    std::vector<uint64_t> strides = contiguous_strides(shape);
    return {dtype, std::move(shape), std::move(strides), data};
  }

  bool is_contiguous() const { return strides == contiguous_strides(shape); }
  /// Two axes, second one outermost: element (i, j) at i + j * shape[0].
  bool is_transposed() const;
};

/// A typed 2-D view of rows in memory: element (r, c) at data[r * stride + c].
template <typename T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;  ///< elements between the starts of two rows, ≥ cols

  T* row(std::size_t r) const { return data + r * stride; }
  MatrixView rows_from(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, cols, stride};
  }
  operator MatrixView<const T>() const { return {data, rows, cols, stride}; }
};

}  // namespace saescope
