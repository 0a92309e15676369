#include "engine/backend_choice.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "ops/checked_backend.h"
#include "ops/cpu/cpu_backend.h"
#include "ops/self_check.h"
#include "ops/torch/torch_backend.h"

namespace saescope {
namespace {

bool is_of_torch(DeviceChoice device) {
  return device.kind == DeviceKind::kCuda || device.kind == DeviceKind::kTorchCpu;
}

TorchDeviceName name_of(DeviceChoice device) { return {device.kind == DeviceKind::kCuda, device.index}; }

TorchLibrary load_torch_for(DeviceChoice device) {
  return load_torch(find_torch(), device.kind == DeviceKind::kCuda);
}

std::unique_ptr<Backend> make_torch_backend(DeviceChoice device, const Context& context) {
  auto backend = std::make_unique<TorchBackend>(load_torch_for(device), name_of(device), context.threads);
  check_operators(*backend);
  if (!keeps_rows_apart(*backend)) backend->note_dependent_rows();
  return backend;
}

/// Whether this machine's driver shows a GPU of NVIDIA or AMD. Asking PyTorch would load it.
bool sees_gpu() {
  std::error_code ignored;
  return std::filesystem::exists("/dev/nvidiactl", ignored) || std::filesystem::exists("/dev/kfd", ignored);
}

}  // namespace

void require_device(DeviceChoice device) {
  if (is_of_torch(device)) require_torch_device(load_torch_for(device), name_of(device));
}

std::unique_ptr<Backend> make_backend(DeviceChoice device, const Context& context) {
  if (is_of_torch(device)) return make_torch_backend(device, context);
  auto cpu = std::make_unique<CpuBackend>(context.threads, context.cancel);
#ifdef NDEBUG
  return cpu;
#else
  return std::make_unique<CheckedBackend>(std::move(cpu));
#endif
}

ChosenBackend choose_backend(DeviceChoice device, double operations, const Context& context) {
  if (device.kind != DeviceKind::kAuto || !sees_gpu()) return {make_backend(device, context), ""};
  const std::string size = fmt::format("{:.1e} operations", operations);
  if (operations < kWorthAGpu) {
    return {make_backend(device, context),
            fmt::format("the GPU would not be quicker: {}, it takes over from {:.0e} on", size, kWorthAGpu)};
  }
  try {
    return {make_torch_backend({DeviceKind::kCuda}, context), "chosen by --device auto: " + size};
  } catch (const Error& error) {
    return {make_backend(device, context), "the GPU is not used: " + error.detail().what};
  }
}

}  // namespace saescope
