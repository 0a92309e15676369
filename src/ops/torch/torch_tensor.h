#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/torch/torch_api.h"

namespace saescope {

using TorchShape = std::vector<int64_t>;

/// @throws OutOfDeviceMemory where memory was the reason, else RunError with PyTorch's own text
void check_torch(const TorchApi& api, TorchStatus status, std::string_view operation);

/// A tensor of PyTorch, whose memory is given back with the last one that shares it.
class TorchTensor {
 public:
  TorchTensor() = default;
  TorchTensor(const TorchApi& api, TorchHandle handle) : api_(&api), handle_(handle) {}
  TorchTensor(TorchTensor&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  TorchTensor& operator=(TorchTensor&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  TorchTensor(const TorchTensor&) = delete;
  TorchTensor& operator=(const TorchTensor&) = delete;
  ~TorchTensor() {
    if (handle_ != nullptr) api_->aoti_torch_delete_tensor_object(handle_);
  }

  bool exists() const { return handle_ != nullptr; }
  TorchHandle handle() const { return handle_; }
  /// One more handle of the same tensor, which whoever takes it gives back.
  TorchHandle share() const;
  /// The same tensor once more.
  TorchTensor same() const { return {*api_, share()}; }
  /// Where its first element lies, in the device's memory.
  std::byte* data() const;
  /// How many elements it has.
  int64_t size() const;
  /// A view of the same memory. @param offset, strides in elements from the memory's start
  TorchTensor view(const TorchShape& shape, const TorchShape& strides, int64_t offset = 0) const;
  /// The same, dense.
  TorchTensor reshape(const TorchShape& shape) const;

  /// Copies a tensor of the same shape, converting and between devices where they differ. @param waits
  /// whether what was copied is there when the call returns; a source in host memory was read in any case
  void copy_from(const TorchTensor& source, bool waits = false) const;
  void set_zero() const;

 private:
  const TorchApi* api_ = nullptr;
  TorchHandle handle_ = nullptr;
};

/// Row-major strides.
TorchShape dense_strides(const TorchShape& shape);

/// A call of one of PyTorch's operators by the name and the arguments of its schema (native_functions.yaml).
/// Scalars cannot be passed through the stable interface; operators that take one are not used.
class TorchCall {
 public:
  /// @param op, overload "aten::mm", "out"; must outlive this
  TorchCall(const TorchApi& api, const char* op, const char* overload = "")
      : api_(api), op_(op), overload_(overload) {}

  TorchCall& tensor(const TorchTensor& value);
  TorchCall& integer(int64_t value) { return push(static_cast<TorchValue>(value)); }
  TorchCall& flag(bool value) { return push(value ? 1 : 0); }
  TorchCall& type(int32_t value) { return push(static_cast<uint32_t>(value)); }  ///< a ScalarType
  TorchCall& text(std::string_view value);
  TorchCall& optional_integers(std::initializer_list<int64_t> values);  ///< int[]?
  TorchCall& none() { return push(0); }  ///< an optional argument that is left out

  /// @param results that the operator has @return the first one. @throws as check_torch
  TorchTensor run(std::size_t results = 1);

 private:
  TorchCall& push(TorchValue value) {
    stack_.push_back(value);
    return *this;
  }
  const TorchApi& api_;
  const char* op_;
  const char* overload_;
  std::vector<TorchValue> stack_;
};

}  // namespace saescope
