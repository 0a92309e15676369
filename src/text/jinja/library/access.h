#pragma once

#include <optional>
#include <string>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// Jinja's `object[key]`: the item, else the attribute of that name, else undefined.
Value get_item(Runtime& runtime, const Value& object, const Value& key);
/// Jinja's `object.name`: the attribute, else the item of that name, else undefined.
Value get_attribute(Runtime& runtime, const Value& object, const std::string& name);
/// The Python attribute alone (methods and properties), if there is one the sandbox shows.
std::optional<Value> python_attribute(Runtime& runtime, const Value& object, const std::string& name);
}  // namespace saescope::jinja
