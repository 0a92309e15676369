#include "ops/torch/torch_device.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.h"

namespace saescope {
namespace {

/// A function of the libraries that PyTorch brought along: CUDA's runtime, or ROCm's, which has the same with
/// other names. PyTorch's own stable interface does not tell about devices.
template <typename Function>
Function* runtime_function(const std::string& name) {
  for (const char* family : {"cuda", "hip"}) {
    void* const found = dlsym(RTLD_DEFAULT, (family + name).c_str());
    if (found != nullptr) return reinterpret_cast<Function*>(found);
  }
  return nullptr;
}

/// The driver's name of a GPU; empty where it does not say.
std::string gpu_name(int index) {
  std::array<char, 256> name{};
  if (auto* const of_rocm =
          reinterpret_cast<int (*)(char*, int, int)>(dlsym(RTLD_DEFAULT, "hipDeviceGetName"))) {
    return of_rocm(name.data(), name.size(), index) == 0 ? name.data() : "";
  }
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return {};
  auto* const of_cuda = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  return of_cuda != nullptr && of_cuda(name.data(), name.size(), index) == 0 ? name.data() : "";
}

/// Operators on the processor take as many threads as the calling thread's OpenMP says.
void set_threads(int threads) {
  auto* const set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set != nullptr) set(threads);
}

[[noreturn]] void report_lost_gpu(const std::string& where) {
  throw RunError({.what = "the GPU does not answer",
                  .where = where,
                  .hint = "the driver's log (dmesg) may say why; what was cached before stays valid"});
}

}  // namespace

GpuCount count_gpus() {
  auto* const count_devices = runtime_function<int(int*)>("GetDeviceCount");
  auto* const text_of = runtime_function<const char*(int)>("GetErrorString");
  if (count_devices == nullptr || text_of == nullptr) return {0, "this PyTorch is for processors alone"};
  int count = 0;
  if (const int status = count_devices(&count)) return {0, text_of(status)};
  return {count, count == 0 ? "none is visible" : ""};
}

void require_torch_device(const TorchLibrary& library, TorchDeviceName device) {
  if (!device.is_gpu) return;
  const GpuCount gpus = count_gpus();
  if (device.index < gpus.count) return;
  throw InputError({.what = fmt::format("--device cuda:{}: there is no such GPU", device.index),
                    .where = library.folder.string(),
                    .expected = "a GPU that PyTorch sees",
                    .found = fmt::format("PyTorch {} sees {}{}", library.version, gpus.count,
                                         gpus.reason.empty() ? "" : ": " + gpus.reason),
                    .hint = "nvidia-smi or rocm-smi, and CUDA_VISIBLE_DEVICES; --device cpu computes on the "
                            "processor"});
}

TorchDevice::TorchDevice(TorchLibrary library, TorchDeviceName name, int threads)
    : library_(std::move(library)), name_(name) {
  api().aoti_torch_grad_mode_set_enabled(false);
  set_threads(threads);
  device_type_ = api().aoti_torch_device_type_cpu();
  if (!is_gpu()) return;
  require_torch_device(library_, name_);
  device_type_ = api().aoti_torch_device_type_cuda();
  device_index_ = name_.index;
  check_torch(api(), api().aoti_torch_create_device_guard(device_index_, &guard_), "choosing the GPU");
}

TorchDevice::~TorchDevice() {
  if (guard_ != nullptr) api().aoti_torch_delete_device_guard(guard_);
}

std::string TorchDevice::description() const {
  if (!is_gpu()) return fmt::format("PyTorch {} on torch-cpu", library_.version);
  const std::string gpu = gpu_name(name_.index);
  return fmt::format("PyTorch {} on cuda:{}{}", library_.version, name_.index,
                     gpu.empty() ? "" : fmt::format(" ({})", gpu));
}

std::optional<uint64_t> TorchDevice::free_bytes() const {
  if (!is_gpu()) return std::nullopt;
  auto* const measure = runtime_function<int(std::size_t*, std::size_t*)>("MemGetInfo");
  std::size_t free = 0;
  std::size_t total = 0;
  if (measure == nullptr || measure(&free, &total) != 0) {
    report_lost_gpu(description());
  }
  return free;
}

int32_t TorchDevice::type_of(DType dtype) const {
  switch (dtype) {
    case DType::kBF16:
      return api().aoti_torch_dtype_bfloat16();
    case DType::kF16:
      return api().aoti_torch_dtype_float16();
    case DType::kI32:
      return api().aoti_torch_dtype_int32();
    case DType::kI64:
      return api().aoti_torch_dtype_int64();
    default:
      return api().aoti_torch_dtype_float32();
  }
}

TorchTensor TorchDevice::empty(const TorchShape& shape, DType dtype) const {
  const TorchShape strides = dense_strides(shape);
  TorchHandle tensor = nullptr;
  check_torch(api(),
              api().aoti_torch_empty_strided(static_cast<int64_t>(shape.size()), shape.data(), strides.data(),
                                             type_of(dtype), device_type_, device_index_, &tensor),
              "memory");
  return {api(), tensor};
}

TorchTensor TorchDevice::empty_staging(const TorchShape& shape, DType dtype) const {
  const TorchShape strides = dense_strides(shape);
  auto* const allocate = is_gpu() ? api().aoti_torch_empty_strided_pinned : api().aoti_torch_empty_strided;
  TorchHandle tensor = nullptr;
  check_torch(api(),
              allocate(static_cast<int64_t>(shape.size()), shape.data(), strides.data(), type_of(dtype),
                       api().aoti_torch_device_type_cpu(), -1, &tensor),
              "page-locked memory");
  return {api(), tensor};
}

TorchTensor TorchDevice::from_memory(const void* memory, const TorchShape& shape, const TorchShape& strides,
                                     DType dtype, bool of_host) const {
  TorchHandle tensor = nullptr;
  check_torch(api(),
              api().aoti_torch_create_tensor_from_blob(
                  const_cast<void*>(memory), static_cast<int64_t>(shape.size()), shape.data(), strides.data(),
                  0, type_of(dtype), of_host ? api().aoti_torch_device_type_cpu() : device_type_,
                  of_host ? -1 : device_index_, &tensor),
              "a view of memory");
  return {api(), tensor};
}

TorchTensor TorchDevice::on_device(const void* memory, const TorchShape& shape, DType dtype) const {
  return from_memory(memory, shape, dense_strides(shape), dtype, false);
}

TorchTensor TorchDevice::on_host(const void* memory, const TorchShape& shape, const TorchShape& strides,
                                 DType dtype) const {
  return from_memory(memory, shape, strides, dtype, true);
}

template <typename T>
TorchTensor TorchDevice::upload_values(std::span<const T> values, const TorchShape& shape,
                                       DType dtype) const {
  TorchTensor copy = empty(shape, dtype);
  const TorchTensor host = on_host(values.data(), shape, dense_strides(shape), dtype);
  if (!is_gpu()) {
    copy.copy_from(host);
    return copy;
  }
  // A GPU reads other memory only once it has done what it was asked for before.
  const TorchTensor staging = empty_staging(shape, dtype);
  staging.copy_from(host);
  copy.copy_from(staging);
  return copy;
}

TorchTensor TorchDevice::upload(std::span<const float> values, const TorchShape& shape) const {
  return upload_values(values, shape, DType::kF32);
}

TorchTensor TorchDevice::upload(std::span<const int64_t> values, const TorchShape& shape) const {
  return upload_values(values, shape, DType::kI64);
}

TorchTensor TorchDevice::number(float value) const {
  TorchHandle tensor = nullptr;
  check_torch(api(), api().aoti_torch_scalar_to_tensor_float32(value, &tensor), "a number");
  return {api(), tensor};
}

DeviceMark TorchDevice::mark() const {
  DeviceMark mark;
  if (!is_gpu()) return mark;
  static constexpr unsigned kWithoutTiming = 2;  // cudaEventDisableTiming, hipEventDisableTiming
  auto* const create = runtime_function<int(void**, unsigned)>("EventCreateWithFlags");
  auto* const record = runtime_function<int(void*, void*)>("EventRecord");
  auto* const destroy = runtime_function<int(void*)>("EventDestroy");
  void* event = nullptr;
  if (create == nullptr || record == nullptr || destroy == nullptr || create(&event, kWithoutTiming) != 0) {
    report_lost_gpu(description());
  }
  mark.event_ = {event, destroy};
  if (record(event, nullptr) != 0) report_lost_gpu(description());
  return mark;
}

void DeviceMark::wait() const {
  if (event_ == nullptr) return;
  auto* const wait_for = runtime_function<int(void*)>("EventSynchronize");
  if (wait_for == nullptr || wait_for(event_.get()) != 0) report_lost_gpu("waiting for a copy");
}

bool TorchDevice::sums_bf16_in_f32() const {
  if (!is_gpu()) return false;
  try {
    const TorchTensor a = empty({64, 64}, DType::kBF16);
    a.set_zero();
    product(a, a, empty({64, 64}), true);
    return true;
  } catch (const RunError&) {
    return false;
  }
}

TorchTensor TorchDevice::binary(const char* op, const char* overload, const TorchTensor& a,
                                const TorchTensor& b) const {
  return TorchCall(api(), op, overload).tensor(a).tensor(b).run();
}

TorchTensor TorchDevice::unary(const char* op, const TorchTensor& x) const {
  return TorchCall(api(), op).tensor(x).run();
}

TorchTensor TorchDevice::subtract(const TorchTensor& a, const TorchTensor& b) const {
  TorchHandle difference = nullptr;
  check_torch(api(), api().aoti_torch_aten_subtract_Tensor(a.handle(), b.handle(), 1, &difference),
              "subtract");
  return {api(), difference};
}

/// a − (−1) · b, which is exact: the stable interface has no addition.
TorchTensor TorchDevice::add(const TorchTensor& a, const TorchTensor& b) const {
  TorchHandle sum = nullptr;
  check_torch(api(), api().aoti_torch_aten_subtract_Tensor(a.handle(), b.handle(), -1, &sum), "add");
  return {api(), sum};
}

TorchTensor TorchDevice::multiply(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::mul", "Tensor", a, b);
}

TorchTensor TorchDevice::divide(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::div", "Tensor", a, b);
}

TorchTensor TorchDevice::maximum(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::maximum", "", a, b);
}

TorchTensor TorchDevice::exp(const TorchTensor& x) const { return unary("aten::exp", x); }
TorchTensor TorchDevice::tanh(const TorchTensor& x) const { return unary("aten::tanh", x); }
TorchTensor TorchDevice::rsqrt(const TorchTensor& x) const { return unary("aten::rsqrt", x); }
TorchTensor TorchDevice::silu(const TorchTensor& x) const { return unary("aten::silu", x); }

TorchTensor TorchDevice::gelu_tanh(const TorchTensor& x) const {
  return TorchCall(api(), "aten::gelu").tensor(x).text("tanh").run();
}

TorchTensor TorchDevice::at_most(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::le", "Tensor", a, b);
}

TorchTensor TorchDevice::greater(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::gt", "Tensor", a, b);
}

TorchTensor TorchDevice::both(const TorchTensor& a, const TorchTensor& b) const {
  return binary("aten::logical_and", "", a, b);
}

TorchTensor TorchDevice::choose(const TorchTensor& condition, const TorchTensor& yes,
                                const TorchTensor& no) const {
  return TorchCall(api(), "aten::where", "self").tensor(condition).tensor(yes).tensor(no).run();
}

TorchTensor TorchDevice::sum(const TorchTensor& x) const {
  return TorchCall(api(), "aten::sum", "dim_IntList")
      .tensor(x)
      .optional_integers({-1})
      .flag(true)
      .none()
      .run();
}

TorchTensor TorchDevice::largest(const TorchTensor& x) const {
  const int64_t axis = -1;
  TorchHandle result = nullptr;
  check_torch(api(), api().aoti_torch_aten_amax(x.handle(), &axis, 1, 1, &result), "amax");
  return {api(), result};
}

TorchTensor TorchDevice::top(const TorchTensor& x, int64_t k) const {
  constexpr std::size_t kValuesAndIndices = 2;
  return TorchCall(api(), "aten::topk")
      .tensor(x)
      .integer(k)
      .integer(-1)
      .flag(true)
      .flag(true)
      .run(kValuesAndIndices);
}

TorchTensor TorchDevice::nonzero(const TorchTensor& x) const {
  const TorchTensor rows = unary("aten::nonzero", x);
  return rows.reshape({rows.size()});
}

void TorchDevice::gather(const TorchTensor& x, const TorchTensor& indices, const TorchTensor& out) const {
  TorchCall(api(), "aten::index_select", "out").tensor(x).integer(0).tensor(indices).tensor(out).run();
}

void TorchDevice::scatter(const TorchTensor& x, const TorchTensor& indices, const TorchTensor& out) const {
  TorchCall(api(), "aten::index_copy_").tensor(out).integer(0).tensor(indices).tensor(x).run();
}

void TorchDevice::product(const TorchTensor& a, const TorchTensor& b, const TorchTensor& out,
                          bool is_bf16) const {
  TorchCall call(api(), "aten::mm", is_bf16 ? "dtype_out" : "out");
  call.tensor(a).tensor(b);
  if (is_bf16) call.type(type_of(DType::kF32));
  call.tensor(out).run();
}

void TorchDevice::products(const TorchTensor& a, const TorchTensor& b, const TorchTensor& out) const {
  TorchCall(api(), "aten::bmm", "out").tensor(a).tensor(b).tensor(out).run();
}

}  // namespace saescope
