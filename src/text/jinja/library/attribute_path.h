#pragma once

#include <vector>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// An attribute as filters name it: `"address.city"`, `"items.0"`, an integer, or None for the value
/// itself (jinja2.filters.make_attrgetter).
class AttributePath {
 public:
  /// @param attribute null and None: the value itself
  AttributePath(Runtime& runtime, const Value* attribute);
  /// @param fallback taken where a part is undefined; null for none
  Value resolve(Runtime& runtime, Value item, const Value* fallback = nullptr) const;

 private:
  std::vector<Value> keys_;
};

/// Strings in lower case, all else as it is: the key of comparisons that ignore case.
Value ignore_case(Runtime& runtime, const Value& value);

}  // namespace saescope::jinja
