#pragma once

#include <cstddef>
#include <memory>

#include "tensor/float16.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// A dense row-major matrix of float32 or bfloat16 in a backend's memory. Copies share the memory; a
/// range of rows is a view of it. Only the backend that allocated it may look at its elements.
class Array {
 public:
  Array() = default;
  Array(std::shared_ptr<std::byte> memory, DType dtype, std::size_t rows, std::size_t cols)
      : memory_(std::move(memory)), dtype_(dtype), rows_(rows), cols_(cols) {}

  DType dtype() const { return dtype_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }

  /// Rows [first, first + count). Precondition: they exist.
  Array row_range(std::size_t first, std::size_t count) const {
    const std::size_t offset = first * cols_ * layout_of(dtype_).block_bytes;
    return {std::shared_ptr<std::byte>(memory_, memory_.get() + offset), dtype_, count, cols_};
  }

  MatrixView<float> f32() const { return {reinterpret_cast<float*>(memory_.get()), rows_, cols_, cols_}; }
  MatrixView<BFloat16> bf16() const {
    return {reinterpret_cast<BFloat16*>(memory_.get()), rows_, cols_, cols_};
  }
  std::byte* bytes() const { return memory_.get(); }

 private:
  std::shared_ptr<std::byte> memory_;
  DType dtype_ = DType::kF32;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
};

}  // namespace saescope
