#include "text/jinja/values/percent_format.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja/values/format_spec.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

int64_t truncated(Runtime& runtime, double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(std::abs(value) < kLimit)) runtime.fail("a float is too large for a 64-bit integer");
  return static_cast<int64_t>(value);
}

// The `%` operator: walks the text and its conversions.
class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, std::string_view text, const Value& value)
      : runtime_(runtime), rest_(text), value_(value) {
    if (value.is_tuple()) {
      arguments_ = value.sequence().items;
    } else {
      arguments_ = {value};
    }
  }

  std::string run() {
    while (!rest_.empty()) {
      const std::size_t percent = std::min(rest_.find('%'), rest_.size());
      put(rest_.substr(0, percent));
      rest_.remove_prefix(percent);
      if (take_char(rest_, '%')) convert();
    }
    const bool takes_any = value_.is_dict() || value_.is_undefined() ||
                           value_.is_sequence(SequenceKind::kList) ||
                           value_.is_sequence(SequenceKind::kRange);
    if (next_ < arguments_.size() && !takes_any) {
      runtime_.fail("not all arguments converted during string formatting");
    }
    return std::move(out_);
  }

 private:
  void put(std::string_view text) {
    runtime_.reserve_text(out_.size() + text.size());
    out_ += text;
  }

  Value next() {
    if (next_ >= arguments_.size()) runtime_.fail("not enough arguments for format string");
    return arguments_[next_++];
  }

  Value argument() {
    if (!take_char(rest_, '(')) return {};
    const std::size_t end = rest_.find(')');
    if (end == std::string_view::npos) runtime_.fail("incomplete format key");
    if (!value_.is_dict()) runtime_.fail("format requires a mapping");
    const std::string key(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    const Value* found = value_.dict().find(runtime_, Value::constant(key));
    if (found == nullptr) runtime_.fail("the format's key " + repr_text(key) + " is missing");
    keyed_ = true;
    return *found;
  }

  FormatSpec read_spec() {
    FormatSpec spec;
    spec.align = '>';
    for (bool flags = true; flags;) {
      if (take_char(rest_, '-')) {
        spec.align = '<';
      } else if (take_char(rest_, '0')) {
        spec.fill = "0";
      } else if (take_char(rest_, '+')) {
        spec.sign = '+';
      } else if (take_char(rest_, ' ')) {
        spec.sign = spec.sign == '+' ? '+' : ' ';
      } else {
        flags = false;
      }
    }
    spec.width = std::max<int64_t>(take_number(runtime_, rest_), 0);
    if (take_char(rest_, '.')) spec.precision = std::max<int64_t>(take_number(runtime_, rest_), 0);
    if (rest_.empty()) runtime_.fail("incomplete format");
    spec.type = rest_.front();
    rest_.remove_prefix(1);
    return spec;
  }

  void convert() {
    if (take_char(rest_, '%')) return put("%");
    keyed_ = false;
    const Value keyed = argument();
    FormatSpec spec = read_spec();
    const Value value = keyed_ ? keyed : next();
    const bool numeric = std::string_view("diufFeEgGxXo").find(spec.type) != std::string_view::npos;
    if (!numeric || spec.align == '<') spec.fill = " ";
    if (numeric && spec.fill == "0") spec.align = '=';
    if (spec.type == 's' || spec.type == 'r') {
      const std::string text = spec.type == 's' ? to_text(runtime_, value) : repr(runtime_, value);
      spec.type = 's';
      put(format_value(runtime_, runtime_.text(text), spec));
    } else if (numeric) {
      put(format_value(runtime_, number(value, spec), spec));
    } else {
      runtime_.fail(std::string("the conversion '%") + spec.type + "' is not supported");
    }
  }

  Value number(const Value& value, FormatSpec& spec) const {
    if (!value.is_number()) {
      runtime_.fail(std::string("%") + spec.type + " needs a number, not " + std::string(value.type_name()));
    }
    if (spec.type == 'i' || spec.type == 'u') spec.type = 'd';
    if (value.is_float() && spec.type == 'd') return Value(truncated(runtime_, value.number()));
    const bool is_integer_type = spec.type == 'x' || spec.type == 'X' || spec.type == 'o';
    if (value.is_float() && is_integer_type) {
      runtime_.fail(std::string("%") + spec.type + " needs an integer");
    }
    return value.is_bool() ? Value(value.integral()) : value;
  }

  Runtime& runtime_;
  std::string_view rest_;
  const Value& value_;
  std::vector<Value> arguments_;
  std::size_t next_ = 0;
  bool keyed_ = false;
  std::string out_;
};

}  // namespace

Value percent_format(Runtime& runtime, const Text& text, const Value& value) {
  if (text.markup) runtime.fail("formatting of escaped text (Markup) is not supported");
  return runtime.text(PercentFormatter(runtime, text.bytes, value).run());
}

}  // namespace saescope::jinja
