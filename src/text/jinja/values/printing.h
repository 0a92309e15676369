#pragma once

#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// Python's `str(value)`; undefined is empty.
std::string to_text(Runtime& runtime, const Value& value);
/// Python's `repr(value)`.
std::string repr(Runtime& runtime, const Value& value);
/// Python's `repr` of a str.
std::string repr_text(std::string_view text);
/// Python's `repr` of a float: the shortest decimals that read back.
std::string repr_float(double value);

/// markupsafe's `escape`: `&<>'"` as entities.
std::string escape_html(std::string_view text);

}  // namespace saescope::jinja
