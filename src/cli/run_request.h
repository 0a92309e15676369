#pragma once

#include <string>
#include <vector>

#include "analysis/labels.h"
#include "base/progress.h"
#include "cli/options.h"
#include "input/known_notes.h"
#include "output/output_settings.h"
#include "plan/run_plan.h"

namespace saescope {

/// A command line as values: what is analysed, and what becomes of it.
struct RunRequest {
  RunPlan plan;
  OutputSettings outputs;
  RunDescription description;
};

/// Reads what the options name (prompts, configuration, features CSV, descriptions) and decides what the run
/// does. What is left out is reported.
/// @param command the command line, for the report @throws InputError
RunRequest read_request(const Options& options, std::string command, Progress& progress);

}  // namespace saescope
