#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ops/torch/torch_library.h"
#include "ops/torch/torch_tensor.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Which of PyTorch's devices.
struct TorchDeviceName {
  bool is_gpu = false;  ///< else the processor, for tests
  int index = 0;        ///< among the GPUs that this process sees
};

/// A place in the order of what a GPU does.
class DeviceMark {
 public:
  DeviceMark() = default;
  /// Waits until the GPU has passed it. @throws RunError where the GPU failed on its way
  void wait() const;

 private:
  friend class TorchDevice;
  std::shared_ptr<void> event_;  ///< null: there is nothing to wait for
};

/// One device of PyTorch and the operators that are called on it. Everything runs in the device's usual
/// stream, in the order of the calls. All tensors are float32 where nothing else is said.
class TorchDevice {
 public:
  /// @param threads of operators on the processor @throws InputError where there is no such GPU
  TorchDevice(TorchLibrary library, TorchDeviceName name, int threads);
  ~TorchDevice();
  TorchDevice(const TorchDevice&) = delete;
  TorchDevice& operator=(const TorchDevice&) = delete;

  const TorchApi& api() const { return library_.api; }
  bool is_gpu() const { return name_.is_gpu; }
  /// "PyTorch 2.13.0+cu130 on cuda:0 (NVIDIA H100 80GB HBM3)".
  std::string description() const;
  /// Bytes of the GPU's memory that nobody has taken, as it says itself; nothing on the processor.
  std::optional<uint64_t> free_bytes() const;

  // Memory. @param dtype kF32, kBF16, kF16, kI32 or kI64

  /// Uninitialised. @throws OutOfDeviceMemory
  TorchTensor empty(const TorchShape& shape, DType dtype = DType::kF32) const;
  /// The same in host memory that the GPU reads by itself, where there is one.
  TorchTensor empty_staging(const TorchShape& shape, DType dtype = DType::kF32) const;
  /// Memory of the device, or of the host, as a tensor. @param memory must outlive its use
  TorchTensor on_device(const void* memory, const TorchShape& shape, DType dtype = DType::kF32) const;
  TorchTensor on_host(const void* memory, const TorchShape& shape, const TorchShape& strides,
                      DType dtype) const;
  /// A copy in the device's memory.
  TorchTensor upload(std::span<const float> values, const TorchShape& shape) const;
  TorchTensor upload(std::span<const int64_t> values, const TorchShape& shape) const;
  /// One number in host memory, which goes with tensors of any device in arithmetic and comparisons.
  TorchTensor number(float value) const;
  /// One number in the device's memory.
  TorchTensor constant(float value) const { return upload(std::span(&value, 1), {}); }

  /// What was asked for so far.
  DeviceMark mark() const;

  // Element by element, with broadcasting.

  TorchTensor add(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor subtract(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor multiply(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor divide(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor maximum(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor exp(const TorchTensor& x) const;
  TorchTensor tanh(const TorchTensor& x) const;
  TorchTensor rsqrt(const TorchTensor& x) const;
  TorchTensor silu(const TorchTensor& x) const;
  TorchTensor gelu_tanh(const TorchTensor& x) const;
  /// a ≤ b, a > b, both: of truth values.
  TorchTensor at_most(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor greater(const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor both(const TorchTensor& a, const TorchTensor& b) const;
  /// yes where the condition holds, else no.
  TorchTensor choose(const TorchTensor& condition, const TorchTensor& yes, const TorchTensor& no) const;

  // Along the last axis, which stays with extent 1.

  TorchTensor sum(const TorchTensor& x) const;
  TorchTensor largest(const TorchTensor& x) const;
  /// The k largest in descending order; NaN counts as the largest of all. @return [..., k]
  TorchTensor top(const TorchTensor& x, int64_t k) const;

  /// Where a vector is not 0 (NaN is not), ascending: kI64. Waits until they are known.
  TorchTensor nonzero(const TorchTensor& x) const;

  /// out = x[indices] along the first axis. @param indices kI64
  void gather(const TorchTensor& x, const TorchTensor& indices, const TorchTensor& out) const;
  /// out[indices] = x along the first axis. @param x of out's dtype @param indices kI64, none twice
  void scatter(const TorchTensor& x, const TorchTensor& indices, const TorchTensor& out) const;
  /// out [m, n] = a [m, k] · b [k, n]. @param a, b both kF32, or both kBF16 on a GPU: summed in float32
  void product(const TorchTensor& a, const TorchTensor& b, const TorchTensor& out, bool is_bf16) const;
  /// Whether the device has products of bfloat16 whose sums and results are float32.
  bool sums_bf16_in_f32() const;
  /// out [i, m, n] = a [i, m, k] · b [i, k, n]
  void products(const TorchTensor& a, const TorchTensor& b, const TorchTensor& out) const;

 private:
  int32_t type_of(DType dtype) const;
  TorchTensor from_memory(const void* memory, const TorchShape& shape, const TorchShape& strides, DType dtype,
                          bool of_host) const;
  template <typename T>
  TorchTensor upload_values(std::span<const T> values, const TorchShape& shape, DType dtype) const;
  TorchTensor binary(const char* op, const char* overload, const TorchTensor& a, const TorchTensor& b) const;
  TorchTensor unary(const char* op, const TorchTensor& x) const;

  TorchLibrary library_;
  TorchDeviceName name_;
  int32_t device_type_ = 0;
  int32_t device_index_ = -1;
  DeviceGuardOpaque* guard_ = nullptr;
};

/// @throws InputError where PyTorch, once loaded, does not have the device
void require_torch_device(const TorchLibrary& library, TorchDeviceName device);

/// The GPUs that PyTorch's libraries, once loaded, see in this process.
struct GpuCount {
  int count = 0;
  std::string reason;  ///< why there are none, as CUDA or ROCm says it
};
GpuCount count_gpus();

}  // namespace saescope
