#pragma once

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

// Python's operators. All of them throw InputError where Python raises.

enum class BinaryOp { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };

Value binary(Runtime& runtime, BinaryOp op, const Value& left, const Value& right);
/// `-value` or `+value`.
Value signed_value(Runtime& runtime, const Value& value, bool negate);
/// Calls a function, macro or method.
Value call_value(Runtime& runtime, const Value& callee, const Arguments& arguments);

}  // namespace saescope::jinja
