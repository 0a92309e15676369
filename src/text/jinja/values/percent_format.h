#pragma once

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// Python's `text % value`.
Value percent_format(Runtime& runtime, const Text& text, const Value& value);

}  // namespace saescope::jinja
