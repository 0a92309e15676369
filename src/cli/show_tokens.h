#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/prompts.h"
#include "hub/hub.h"
#include "plan/model_entry.h"

namespace saescope {

/// --show-tokens: one JSON line per model and prompt, each handed to `print`.
void show_tokens(const std::vector<ModelEntry>& models, const Prompts& prompts, Hub& hub, Progress& progress,
                 const std::function<void(const std::string&)>& print);

}  // namespace saescope
