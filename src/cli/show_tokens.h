#pragma once

#include <vector>

#include "analysis/prompts.h"
#include "hub/hub.h"
#include "plan/model_entry.h"

namespace saescope {

/// --show-tokens: one JSON line per model and prompt on stdout.
void show_tokens(const std::vector<ModelEntry>& models, const Prompts& prompts, Hub& hub, Progress& progress);

}  // namespace saescope
