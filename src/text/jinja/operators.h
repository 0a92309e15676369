#pragma once

#include <optional>
#include <string>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace saescope::jinja {

// Python's operators. All of them throw InputError where Python raises.

Value binary(Runtime& runtime, BinaryOp op, const Value& left, const Value& right);
/// `-value` or `+value`.
Value signed_value(Runtime& runtime, const Value& value, bool negate);
/// `a == b`.
bool equal(Runtime& runtime, const Value& a, const Value& b);
/// `a < b`.
bool less(Runtime& runtime, const Value& a, const Value& b);
bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b);
/// `item in container`.
bool contains(Runtime& runtime, const Value& container, const Value& item);

/// `list(value)`; a generator is consumed.
std::vector<Value> iterate(Runtime& runtime, const Value& value);
bool is_iterable(const Value& value);
/// `len(value)`, or nothing where the type has no length.
std::optional<int64_t> length(Runtime& runtime, const Value& value);

/// Jinja's `object[key]`: the item, else the attribute of that name, else undefined.
Value get_item(Runtime& runtime, const Value& object, const Value& key);
/// Jinja's `object.name`: the attribute, else the item of that name, else undefined.
Value get_attribute(Runtime& runtime, const Value& object, const std::string& name);
/// The Python attribute alone (methods and properties), if there is one the sandbox shows.
std::optional<Value> python_attribute(Runtime& runtime, const Value& object, const std::string& name);
/// `object[start:stop:step]` with None for parts that are left out.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);

/// Python's slice bounds for a sequence of `size` elements: first index, step, and how many.
struct SliceRange {
  int64_t first = 0;
  int64_t step = 1;
  int64_t count = 0;
};
SliceRange slice_range(Runtime& runtime, int64_t size, const Value& start, const Value& stop,
                       const Value& step);

/// Calls a function, macro or method.
Value call_value(Runtime& runtime, const Value& callee, const Arguments& arguments);

}  // namespace saescope::jinja
