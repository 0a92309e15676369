#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

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

/// The value of a JSON document; numbers beyond 64 bits and invalid UTF-8 are refused.
Value from_json(Runtime& runtime, const nlohmann::ordered_json& json);

}  // namespace saescope::jinja
