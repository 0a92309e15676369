#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace saescope::jinja {

/// Python's `text % value`.
Value percent_format(Runtime& runtime, const Text& text, const Value& value);
/// Python's `text.format(*arguments)` as the sandbox allows it.
std::string format_text(Runtime& runtime, std::string_view text, const Arguments& arguments);

/// What stands behind the colon of a replacement field, or behind a percent sign.
struct FormatSpec {
  std::string fill = " ";
  char align = '\0';  ///< '<', '>', '^', '=' (padding behind the sign), or the type's default
  char sign = '-';    ///< '+' and ' ' also mark numbers that are not negative
  bool grouped = false;
  int64_t width = 0;
  int64_t precision = -1;  ///< -1: none
  char type = '\0';
};
/// Python's `format(value, spec)`.
std::string format_value(Runtime& runtime, const Value& value, const FormatSpec& spec);

}  // namespace saescope::jinja
