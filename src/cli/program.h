#pragma once

#include "base/context.h"

namespace saescope {

/// The whole program: command line in, outputs and closing summary out.
/// @return the process's exit code @throws Error for everything that goes wrong
int run_program(int argc, const char* const* argv, const CancelToken& cancel);

/// Says on stderr what went wrong: as text, or as a JSON line where the command line asks for --progress
/// json. Call it inside of the handler that caught the exception. @return the process's exit code
int report_failure(int argc, const char* const* argv);

}  // namespace saescope
