#pragma once

#include <memory>

#include "base/context.h"
#include "ops/backend.h"
#include "plan/run_plan.h"

namespace saescope {

/// @throws InputError on a device that this program was built without
void require_device(DeviceChoice device);

/// What computes. Debug builds compare every operator with its definition while they run.
/// @throws as require_device
std::unique_ptr<Backend> make_backend(DeviceChoice device, const Context& context);

}  // namespace saescope
