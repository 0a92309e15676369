#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace saescope::jinja {

/// Python's `str(value)`; undefined is empty.
std::string to_text(Runtime& runtime, const Value& value);
/// Python's `repr(value)`.
std::string repr(Runtime& runtime, const Value& value);
/// Python's `repr` of a str.
std::string repr_text(std::string_view text);
/// Python's `repr` of a float: the shortest decimals that read back.
std::string repr_float(double value);

/// `json.dumps(value, ensure_ascii, indent, separators, sort_keys)`.
struct JsonOptions {
  bool ensure_ascii = false;
  bool multiline = false;  ///< an indent was given
  std::string indent;      ///< of one level
  std::string item_separator;
  std::string key_separator;
  bool sort_keys = false;
};
std::string to_json(Runtime& runtime, const Value& value, const JsonOptions& options);

/// markupsafe's `escape`: `&<>'"` as entities.
std::string escape_html(std::string_view text);

}  // namespace saescope::jinja
