#include "engine/backend_choice.h"

#include "base/error.h"
#include "ops/checked_backend.h"
#include "ops/cpu/cpu_backend.h"

namespace saescope {

void require_device(DeviceChoice device) {
  if (device != DeviceChoice::kCuda) return;
  throw InputError(
      {.what = "--device cuda: this program was built without CUDA", .hint = "use --device cpu"});
}

std::unique_ptr<Backend> make_backend(DeviceChoice device, const Context& context) {
  require_device(device);
  auto cpu = std::make_unique<CpuBackend>(context.threads, context.cancel);
#ifdef NDEBUG
  return cpu;
#else
  return std::make_unique<CheckedBackend>(std::move(cpu));
#endif
}

}  // namespace saescope
