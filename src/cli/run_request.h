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

/// The command line as it can be typed again.
struct Commands {
  std::string whole;      ///< as one run, whatever stage this is
  std::string of_stages;  ///< as any stage, which is to be added with its task
};

/// Reads what the options name (prompts, configuration, features CSV) and decides what the run does. What is
/// left out is reported.
/// @throws InputError
RunRequest read_request(const Options& options, Commands commands, Progress& progress);

/// Lets the outputs have what is known of the features: notes of the requests, and descriptions.
/// @throws InputError on a file that cannot be used
void read_notes(const DescriptionPaths& paths, RunRequest& request, Progress& progress);

}  // namespace saescope
