#pragma once

#include "base/context.h"

namespace saescope {

/// The whole program: command line in, outputs and closing summary out.
/// @return the process's exit code @throws Error for everything that goes wrong
int run_program(int argc, const char* const* argv, const CancelToken& cancel);

}  // namespace saescope
