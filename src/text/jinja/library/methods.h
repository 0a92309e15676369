#pragma once

#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// A Python method; `self` has the type the method was found for.
using Method = Value (*)(Runtime& runtime, const Value& self, const Arguments& arguments);

/// A row of a type's table of methods.
struct MethodEntry {
  std::string_view name;
  Method function;
};

/// The method `name` of `self`'s Python type (str, dict, list, tuple), or null.
Method find_method(const Value& self, std::string_view name);

/// Whether the immutable sandbox hides the method because it changes its object.
bool is_mutating_method(const Value& self, std::string_view name);
/// Whether Python's type has the attribute but this interpreter does not.
bool is_unsupported_attribute(const Value& self, std::string_view name);

}  // namespace saescope::jinja
