#include "ops/torch/torch_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "ops/backend.h"

namespace saescope {
namespace {

/// PyTorch's text without the lines that are for its developers.
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

/// PyTorch's own allocators say the first two, libraries of products (cuBLAS, hipBLAS) the last.
bool tells_of_memory(std::string_view reason) {
  constexpr std::array kTexts = {"out of memory", "allocate memory", "ALLOC_FAILED"};
  return std::any_of(kTexts.begin(), kTexts.end(),
                     [&](const char* text) { return reason.find(text) != std::string_view::npos; });
}

template <typename Pointer>
TorchValue value_of(Pointer* pointer) {
  return static_cast<TorchValue>(reinterpret_cast<uintptr_t>(pointer));
}

}  // namespace

void check_torch(const TorchApi& api, TorchStatus status, std::string_view operation) {
  if (status == 0) return;
  const bool speaks = api.torch_exception_get_what_without_backtrace != nullptr;
  const std::string reason = speaks ? first_line(api.torch_exception_get_what_without_backtrace())
                                    : "PyTorch before 2.13 does not say it here; it wrote it above";
  // Before 2.13 memory is the likely reason of all that may fail while a run computes.
  if (!speaks || tells_of_memory(reason)) throw OutOfDeviceMemory(std::string(operation), reason);
  throw RunError({.what = "PyTorch failed",
                  .where = std::string(operation),
                  .found = reason,
                  .hint = "--device cpu does without it; what was cached before stays valid"});
}

TorchHandle TorchTensor::share() const {
  TorchHandle copy = nullptr;
  check_torch(*api_, api_->aoti_torch_new_tensor_handle(handle_, &copy), "a tensor");
  return copy;
}

std::byte* TorchTensor::data() const {
  void* data = nullptr;
  check_torch(*api_, api_->aoti_torch_get_data_ptr(handle_, &data), "a tensor's memory");
  return static_cast<std::byte*>(data);
}

int64_t TorchTensor::size() const {
  int64_t size = 0;
  check_torch(*api_, api_->aoti_torch_get_numel(handle_, &size), "a tensor's size");
  return size;
}

TorchTensor TorchTensor::view(const TorchShape& shape, const TorchShape& strides, int64_t offset) const {
  TorchHandle result = nullptr;
  check_torch(*api_,
              api_->aoti_torch__reinterpret_tensor(handle_, static_cast<int64_t>(shape.size()), shape.data(),
                                                   strides.data(), offset, &result),
              "a view");
  return {*api_, result};
}

TorchTensor TorchTensor::reshape(const TorchShape& shape) const { return view(shape, dense_strides(shape)); }

void TorchTensor::copy_from(const TorchTensor& source, bool waits) const {
  check_torch(*api_, api_->aoti_torch_copy_(handle_, source.handle_, waits ? 0 : 1), "a copy");
}

void TorchTensor::set_zero() const { check_torch(*api_, api_->aoti_torch_zero_(handle_), "zeros"); }

TorchShape dense_strides(const TorchShape& shape) {
  TorchShape strides(shape.size());
  int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

TorchCall& TorchCall::tensor(const TorchTensor& value) { return push(value_of(value.share())); }

TorchCall& TorchCall::text(std::string_view value) {
  StringOpaque* string = nullptr;
  check_torch(api_, api_.torch_new_string_handle(value.data(), value.size(), &string), op_);
  return push(value_of(string));
}

TorchCall& TorchCall::optional_integers(std::initializer_list<int64_t> values) {
  StableListOpaque* list = nullptr;
  check_torch(api_, api_.torch_new_list_reserve_size(values.size(), &list), op_);
  for (const int64_t value : values) {
    check_torch(api_, api_.torch_list_push_back(list, static_cast<TorchValue>(value)), op_);
  }
  // What an optional argument points to is freed by the call; before 2.13 with `delete`.
  TorchValue* optional = nullptr;
  if (api_.torch_new_stable_ivalue != nullptr) {
    check_torch(api_, api_.torch_new_stable_ivalue(&optional), op_);
  } else {
    optional = new TorchValue;  // NOLINT(cppcoreguidelines-owning-memory)
  }
  *optional = value_of(list);
  return push(value_of(optional));
}

TorchTensor TorchCall::run(std::size_t results) {
  stack_.resize(std::max(stack_.size(), results));
  check_torch(api_, api_.torch_call_dispatcher(op_, overload_, stack_.data(), kOldestTorch), op_);
  std::vector<TorchTensor> tensors;
  for (const TorchValue value : std::span(stack_).first(results)) {
    TorchHandle handle = nullptr;  // which lies in the value's bytes
    std::memcpy(static_cast<void*>(&handle), &value, sizeof value);
    tensors.emplace_back(api_, handle);
  }
  return std::move(tensors.front());
}

}  // namespace saescope
