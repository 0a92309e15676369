#pragma once

#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// A filter: the first positional argument is the value that is filtered.
using FilterFunction = Value (*)(Runtime& runtime, const Arguments& arguments);

struct FilterEntry {
  std::string_view name;
  FilterFunction function;
};

/// Jinja's filter of that name (with transformers' `tojson`), or null.
FilterFunction find_filter(std::string_view name);
/// The message for a name that find_filter does not know.
std::string describe_missing_filter(const std::string& name);
/// @throws InputError where the filter does not exist or raises.
Value call_filter(Runtime& runtime, const std::string& name, const Arguments& arguments);

}  // namespace saescope::jinja
