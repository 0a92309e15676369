#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "ops/backend.h"
#include "plan/run_plan.h"

namespace saescope {

/// @throws InputError on a device that is not there, before anything else is done
void require_device(DeviceChoice device);

/// What computes; kAuto is the processor here. Debug builds compare every operator of the processor with its
/// definition while they run. A device of PyTorch is checked on small inputs.
/// @throws as require_device; RunError where the device computes something else
std::unique_ptr<Backend> make_backend(DeviceChoice device, const Context& context);

/// What a run computes on.
struct ChosenBackend {
  std::unique_ptr<Backend> backend;
  std::string reason;  ///< why kAuto is not simply the processor, in words; else empty
};

/// The same for a run of so many floating-point operations, where kAuto takes a GPU that is there if the run
/// is large enough to gain.
ChosenBackend choose_backend(DeviceChoice device, double operations, const Context& context);

/// Operations from which on kAuto takes a GPU: below them PyTorch's libraries take longer to load than this
/// program to compute. Set by calculation (docs/gpu.md), not yet by a measurement on a GPU.
inline constexpr double kWorthAGpu = 2e13;

}  // namespace saescope
