#pragma once

#include "base/environment.h"
#include "base/share.h"
#include "cli/option_values.h"

namespace saescope {

/// Which task of how many a process is: "I/N" with I from 1 to N; "auto" as the variables of a job array say
/// (Slurm, and srun within it; LSF; Grid Engine), or "auto/N" where they do not say how many there are (PBS,
/// Kubernetes' indexed jobs). An array's tasks that are run again alone keep their numbers with I/N and
/// auto/N.
/// @throws InputError naming the flag, on a text of another form and where the variables do not fit together
Share parse_task(const Argument& argument, const Environment& environment = process_environment);

}  // namespace saescope
