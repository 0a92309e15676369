#pragma once

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

// Python's comparisons. All of them throw InputError where Python raises.

enum class CompareOp { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

/// `a == b`.
bool equal(Runtime& runtime, const Value& a, const Value& b);
/// `a < b`.
bool less(Runtime& runtime, const Value& a, const Value& b);
bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b);
/// `item in container`.
bool contains(Runtime& runtime, const Value& container, const Value& item);

}  // namespace saescope::jinja
