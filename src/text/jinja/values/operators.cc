#include "text/jinja/values/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "text/jinja/values/format_spec.h"
#include "text/jinja/values/percent_format.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

std::string spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSubtract:
      return "-";
    case BinaryOp::kMultiply:
      return "*";
    case BinaryOp::kDivide:
      return "/";
    case BinaryOp::kFloorDivide:
      return "//";
    case BinaryOp::kModulo:
      return "%";
    case BinaryOp::kPower:
      break;
  }
  return "**";
}

[[noreturn]] void fail_overflow(Runtime& runtime) {
  runtime.fail("an integer has more than 64 bits, which is not supported");
}

[[noreturn]] void fail_zero(Runtime& runtime) { runtime.fail("division by zero"); }

int64_t floor_divide(Runtime& runtime, int64_t a, int64_t b) {
  if (b == 0) fail_zero(runtime);
  if (b == -1 && a == std::numeric_limits<int64_t>::min()) fail_overflow(runtime);
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floor_modulo(Runtime& runtime, int64_t a, int64_t b) {
  if (b == 0) fail_zero(runtime);
  if (b == -1) return 0;
  const int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

Value integer_power(Runtime& runtime, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fail_zero(runtime);
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) {
      fail_overflow(runtime);
    }
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow(runtime);
  }
  return Value(result);
}

Value integer_binary(Runtime& runtime, BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case BinaryOp::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case BinaryOp::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case BinaryOp::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case BinaryOp::kDivide:
      if (b == 0) fail_zero(runtime);
      // 64 bits of mantissa hold both exactly, so only the quotient is rounded
      return Value(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case BinaryOp::kFloorDivide:
      return Value(floor_divide(runtime, a, b));
    case BinaryOp::kModulo:
      return Value(floor_modulo(runtime, a, b));
    case BinaryOp::kPower:
      return integer_power(runtime, a, b);
  }
  if (overflow) fail_overflow(runtime);
  return Value(result);
}

// CPython's float_divmod.
double float_modulo(double a, double b) {
  const double remainder = std::fmod(a, b);
  if (remainder == 0) return std::copysign(0.0, b);
  return (b < 0) != (remainder < 0) ? remainder + b : remainder;
}

double float_floor_divide(double a, double b) {
  const double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1.0;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1.0 : floored;
}

double float_power(Runtime& runtime, double a, double b) {
  if (a == 0 && b < 0) fail_zero(runtime);
  const double result = std::pow(a, b);
  if (std::isnan(result) && !std::isnan(a) && !std::isnan(b)) {
    runtime.fail("complex numbers are not supported");
  }
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) {
    runtime.fail("the result of a power is too large");
  }
  return result;
}

Value float_binary(Runtime& runtime, BinaryOp op, double a, double b) {
  const bool divides = op == BinaryOp::kDivide || op == BinaryOp::kFloorDivide || op == BinaryOp::kModulo;
  if (divides && b == 0) fail_zero(runtime);
  switch (op) {
    case BinaryOp::kAdd:
      return Value(a + b);
    case BinaryOp::kSubtract:
      return Value(a - b);
    case BinaryOp::kMultiply:
      return Value(a * b);
    case BinaryOp::kDivide:
      return Value(a / b);
    case BinaryOp::kFloorDivide:
      return Value(float_floor_divide(a, b));
    case BinaryOp::kModulo:
      return Value(float_modulo(a, b));
    case BinaryOp::kPower:
      break;
  }
  return Value(float_power(runtime, a, b));
}

Value concatenate(Runtime& runtime, const Text& a, const Text& b) {
  const bool markup = a.markup || b.markup;
  const auto part = [&](const Text& text) {
    return markup && !text.markup ? escape_html(text.bytes) : text.bytes;
  };
  runtime.reserve_text(a.bytes.size() + b.bytes.size());
  return runtime.text(part(a) + part(b), markup);
}

Value repeat_text(Runtime& runtime, const Text& text, int64_t times) {
  const auto count = static_cast<uint64_t>(std::max<int64_t>(times, 0));
  if (text.bytes.empty() || count == 0) return runtime.text({}, text.markup);
  if (count > kMaxTextBytes) runtime.reserve_text(count);
  runtime.reserve_text(count * text.bytes.size());
  std::string out;
  out.reserve(count * text.bytes.size());
  for (uint64_t i = 0; i < count; ++i) out += text.bytes;
  return runtime.text(std::move(out), text.markup);
}

Value repeat_items(Runtime& runtime, const Sequence& sequence, int64_t times) {
  const auto count = static_cast<uint64_t>(std::max<int64_t>(times, 0));
  const uint64_t size = sequence.items.size();
  if (size > 0 && count > kMaxSteps / size) runtime.fail_limit("a list grows too long");
  runtime.reserve_items(count * size);
  std::vector<Value> items;
  items.reserve(count * size);
  for (uint64_t i = 0; i < count && size > 0; ++i) {
    items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  }
  const bool is_list = sequence.kind == SequenceKind::kList;
  return runtime.sequence(is_list ? SequenceKind::kList : SequenceKind::kTuple, std::move(items));
}

bool is_list_or_tuple(const Value& value) {
  return value.is_tuple() || value.is_sequence(SequenceKind::kList);
}

std::optional<Value> multiply(Runtime& runtime, const Value& a, const Value& times) {
  if (!times.is_integral()) return std::nullopt;
  if (a.is_string()) return repeat_text(runtime, a.text(), times.integral());
  if (is_list_or_tuple(a)) return repeat_items(runtime, a.sequence(), times.integral());
  return std::nullopt;
}

// What is not numbers; nothing where Python has no such operation.
std::optional<Value> container_binary(Runtime& runtime, BinaryOp op, const Value& a, const Value& b) {
  if (op == BinaryOp::kAdd && a.is_string() && b.is_string()) {
    return concatenate(runtime, a.text(), b.text());
  }
  const bool both_lists = a.is_sequence(SequenceKind::kList) && b.is_sequence(SequenceKind::kList);
  if (op == BinaryOp::kAdd && (both_lists || (a.is_tuple() && b.is_tuple()))) {
    const std::vector<Value>& tail = b.sequence().items;
    runtime.reserve_items(a.sequence().items.size() + tail.size());
    std::vector<Value> items = a.sequence().items;
    items.insert(items.end(), tail.begin(), tail.end());
    return runtime.sequence(both_lists ? SequenceKind::kList : SequenceKind::kTuple, std::move(items));
  }
  if (op == BinaryOp::kMultiply) {
    if (auto product = multiply(runtime, a, b)) return product;
    return multiply(runtime, b, a);
  }
  if (op == BinaryOp::kModulo && a.is_string()) return percent_format(runtime, a.text(), b);
  return std::nullopt;
}

}  // namespace

Value binary(Runtime& runtime, BinaryOp op, const Value& left, const Value& right) {
  if (left.is_integral() && right.is_integral()) {
    return integer_binary(runtime, op, left.integral(), right.integral());
  }
  if (left.is_number() && right.is_number()) {
    return float_binary(runtime, op, left.number(), right.number());
  }
  const bool formats = op == BinaryOp::kModulo && left.is_string();
  if (left.is_undefined()) runtime.fail(left.undefined_message());
  if (right.is_undefined() && !formats) runtime.fail(right.undefined_message());
  if (auto result = container_binary(runtime, op, left, right)) return *std::move(result);
  runtime.fail("unsupported operand types for " + spelling(op) + ": '" + std::string(left.type_name()) +
               "' and '" + std::string(right.type_name()) + "'");
}

Value signed_value(Runtime& runtime, const Value& value, bool negate) {
  if (value.is_undefined()) runtime.fail(value.undefined_message());
  if (value.is_float()) return Value(negate ? -value.number() : value.number());
  if (!value.is_integral()) {
    runtime.fail(std::string("bad operand type for unary ") + (negate ? "-" : "+") + ": '" +
                 std::string(value.type_name()) + "'");
  }
  return negate ? integer_binary(runtime, BinaryOp::kSubtract, 0, value.integral()) : Value(value.integral());
}

Value call_value(Runtime& runtime, const Value& callee, const Arguments& arguments) {
  if (callee.is_undefined()) runtime.fail(callee.undefined_message());
  if (!callee.is_object()) {
    runtime.fail("'" + std::string(callee.type_name()) + "' object is not callable");
  }
  return callee.object()->call(runtime, arguments);
}

}  // namespace saescope::jinja
