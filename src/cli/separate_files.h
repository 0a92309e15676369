#pragma once

#include <filesystem>
#include <vector>

#include "cli/options.h"
#include "hub/hub.h"
#include "plan/model_plan.h"

namespace saescope {

/// One output must not replace another, nor anything that the run reads of the command line.
/// @throws InputError naming both flags
void require_separate_files(const Options& options);

/// Nor files of the models and SAEs that lie on this machine. @throws InputError
void require_apart_from_models(const Options& options, const std::vector<ModelPlan>& models, Hub& hub);

}  // namespace saescope
