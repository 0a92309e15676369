#pragma once

#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// A test of `is`: the first positional argument is the value.
using TestFunction = bool (*)(Runtime& runtime, const Arguments& arguments);

/// Jinja's test of that name, or null.
TestFunction find_test(std::string_view name);
/// The message for a name that find_test does not know.
std::string describe_missing_test(const std::string& name);
/// @throws InputError where the test does not exist or raises.
bool call_test(Runtime& runtime, const std::string& name, const Arguments& arguments);

}  // namespace saescope::jinja
