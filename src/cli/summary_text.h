#pragma once

#include <string>

#include "engine/run_summary.h"
#include "output/outputs.h"

namespace saescope {

/// What a run prints when it is done.
std::string summary_text(const OutputSummary& written, const RunSummary& run);

}  // namespace saescope
