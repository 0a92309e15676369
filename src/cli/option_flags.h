#pragma once

#include <span>

#include "cli/option_values.h"
#include "cli/options.h"

namespace saescope {

/// One flag of the command line: how --help shows it and what it sets.
struct Flag {
  const char* group;
  const char* name;
  const char* type;  ///< empty: the flag takes no value
  const char* help;
  void (*apply)(Options& options, const Argument& argument);
};

/// The heading under which --help shows the flags of a run as such, --help and --version among them.
inline constexpr auto kRunGroup = "Run";

/// All flags but --help and --version, in the order of --help.
std::span<const Flag> option_flags();

}  // namespace saescope
