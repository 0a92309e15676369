#pragma once

#include "base/context.h"
#include "engine/results.h"
#include "hub/hub.h"
#include "plan/run_plan.h"

namespace saescope {

/// Runs a plan: prompts → token ids → prefix tree → activations → features. Everything is found, downloaded
/// and checked before anything is computed.
/// @throws Error
Results analyze(const RunPlan& plan, Hub& hub, const Context& context);

}  // namespace saescope
