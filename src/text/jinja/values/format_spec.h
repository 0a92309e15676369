#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

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
/// Reads one. @throws InputError where it is not supported
FormatSpec parse_format_spec(Runtime& runtime, std::string_view text);

/// Python's `format(value, spec)`.
std::string format_value(Runtime& runtime, const Value& value, const FormatSpec& spec);

/// Reads the number at the start of `text` and removes it; -1 where there is none.
int64_t take_number(Runtime& runtime, std::string_view& text);
/// Removes `c` from the start of `text`. @return whether it was there
bool take_char(std::string_view& text, char c);

}  // namespace saescope::jinja
