#include "text/jinja/library/predicates.h"

#include <algorithm>
#include <array>

#include "text/jinja/library/filters.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/unicode.h"

#include "text/jinja/library/named_table.h"
#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"

namespace saescope::jinja {
namespace {

// The value of a test without further arguments.
const Value& only(Runtime& runtime, const Arguments& arguments) {
  return Parameters(runtime, "test", arguments, {"value"}, 1)[0];
}

template <bool (Value::*predicate)() const>
bool has_type(Runtime& runtime, const Arguments& arguments) {
  return (only(runtime, arguments).*predicate)();
}

bool is_defined(Runtime& runtime, const Arguments& arguments) {
  return !only(runtime, arguments).is_undefined();
}

bool is_true(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  return value.is_bool() && value.as_bool();
}

bool is_false(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  return value.is_bool() && !value.as_bool();
}

bool is_iterable_test(Runtime& runtime, const Arguments& arguments) {
  return is_iterable(only(runtime, arguments));
}

// Jinja asks for `len` and `__getitem__`. An undefined value answers both.
bool is_sequence(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  if (!value.is_sequence()) {
    return value.is_string() || value.is_dict() || value.is_undefined();
  }
  const SequenceKind kind = value.sequence().kind;
  return value.is_tuple() || kind == SequenceKind::kList || kind == SequenceKind::kRange;
}

bool is_callable(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  // Undefined has a method __call__, which raises
  return value.is_undefined() || (value.is_object() && value.object()->callable());
}

bool is_escaped(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  return value.is_string() && value.text().markup;
}

template <bool upper>
bool has_case(Runtime& runtime, const Arguments& arguments) {
  const std::string text = to_text(runtime, only(runtime, arguments));
  runtime.spend_bytes(text.size());
  bool cased = false;
  for (const char32_t c : decode(text)) {
    if (is_title(c) || (upper ? is_lower(c) : is_upper(c))) return false;
    cased = cased || (upper ? is_upper(c) : is_lower(c));
  }
  return cased;
}

template <CompareOp op>
bool compares(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "test", arguments, {"", ""}, 2);
  return compare(runtime, op, parameters[0], parameters[1]);
}

bool is_in(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "in", arguments, {"value", "seq"}, 2);
  return contains(runtime, parameters[1], parameters[0]);
}

bool is_same_as(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "sameas", arguments, {"value", "other"}, 2);
  return parameters[0].same_as(parameters[1]);
}

bool remainder_is(Runtime& runtime, const Value& value, const Value& divisor, int64_t wanted) {
  return equal(runtime, binary(runtime, BinaryOp::kModulo, value, divisor), Value(wanted));
}

bool is_divisible(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "divisibleby", arguments, {"value", "num"}, 2);
  return remainder_is(runtime, parameters[0], parameters[1], 0);
}

template <int64_t remainder>
bool has_parity(Runtime& runtime, const Arguments& arguments) {
  return remainder_is(runtime, only(runtime, arguments), Value(int64_t{2}), remainder);
}

bool names_filter(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  return value.is_string() && find_filter(value.bytes()) != nullptr;
}

bool names_test(Runtime& runtime, const Arguments& arguments) {
  const Value& value = only(runtime, arguments);
  return value.is_string() && find_test(value.bytes()) != nullptr;
}

struct TestEntry {
  std::string_view name;
  TestFunction function;
};

constexpr auto kTests = std::to_array<TestEntry>({
    {"odd", has_parity<1>},
    {"even", has_parity<0>},
    {"divisibleby", is_divisible},
    {"defined", is_defined},
    {"undefined", has_type<&Value::is_undefined>},
    {"filter", names_filter},
    {"test", names_test},
    {"none", has_type<&Value::is_none>},
    {"boolean", has_type<&Value::is_bool>},
    {"false", is_false},
    {"true", is_true},
    {"integer", has_type<&Value::is_int>},
    {"float", has_type<&Value::is_float>},
    {"lower", has_case<false>},
    {"upper", has_case<true>},
    {"string", has_type<&Value::is_string>},
    {"mapping", has_type<&Value::is_dict>},
    {"number", has_type<&Value::is_number>},
    {"sequence", is_sequence},
    {"iterable", is_iterable_test},
    {"callable", is_callable},
    {"sameas", is_same_as},
    {"escaped", is_escaped},
    {"in", is_in},
    {"==", compares<CompareOp::kEqual>},
    {"eq", compares<CompareOp::kEqual>},
    {"equalto", compares<CompareOp::kEqual>},
    {"!=", compares<CompareOp::kNotEqual>},
    {"ne", compares<CompareOp::kNotEqual>},
    {">", compares<CompareOp::kGreater>},
    {"gt", compares<CompareOp::kGreater>},
    {"greaterthan", compares<CompareOp::kGreater>},
    {"ge", compares<CompareOp::kGreaterEqual>},
    {">=", compares<CompareOp::kGreaterEqual>},
    {"<", compares<CompareOp::kLess>},
    {"lt", compares<CompareOp::kLess>},
    {"lessthan", compares<CompareOp::kLess>},
    {"<=", compares<CompareOp::kLessEqual>},
    {"le", compares<CompareOp::kLessEqual>},
});

}  // namespace

TestFunction find_test(std::string_view name) { return find_named(kTests, name); }

std::string describe_missing_test(const std::string& name) { return "no test named '" + name + "'"; }

bool call_test(Runtime& runtime, const std::string& name, const Arguments& arguments) {
  const TestFunction function = find_test(name);
  if (function == nullptr) runtime.fail(describe_missing_test(name));
  return function(runtime, arguments);
}

}  // namespace saescope::jinja
