#pragma once

#include "app/pipeline.h"
#include "app/run_report.h"
#include "app/run_results.h"

namespace saescope {

/// Makes the outputs' folders and tries to write there, before hours of work depend on them. @throws RunError
void check_outputs(const Options& options);

/// Writes every output of the run. None is put in place before all of them are complete on the disk.
/// @param report receives the rows and files
void write_outputs(RunResults& results, const RunInput& input, RunReport& report);

}  // namespace saescope
