#pragma once

#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// Python's `text.format(*arguments)` as the sandbox allows it.
std::string format_text(Runtime& runtime, std::string_view text, const Arguments& arguments);

}  // namespace saescope::jinja
