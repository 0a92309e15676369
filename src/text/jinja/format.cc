#include "text/jinja/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja/operators.h"
#include "text/jinja/text.h"
#include "text/jinja/unicode.h"

namespace saescope::jinja {
namespace {

// Reads the number at the start of `text` and removes it; -1 where there is none.
int64_t take_number(Runtime& runtime, std::string_view& text) {
  int64_t number = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::result_out_of_range) runtime.fail("a format asks for too many digits");
  if (read.ec != std::errc() || number < 0) return -1;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

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

FormatSpec parse_spec(Runtime& runtime, std::string_view text) {
  constexpr std::string_view kAligns = "<>^=";
  const auto is_align = [&](std::string_view t) {
    return !t.empty() && kAligns.find(t.front()) != std::string_view::npos;
  };
  FormatSpec spec;
  const std::string_view original = text;
  const std::size_t first = decode_utf8(text, 0).length;
  if (first > 0 && is_align(text.substr(first))) {
    spec.fill = text.substr(0, first);
    text.remove_prefix(first);
  }
  if (is_align(text)) {
    spec.align = text.front();
    text.remove_prefix(1);
  }
  if (!text.empty() && std::string_view("+- ").find(text.front()) != std::string_view::npos) {
    spec.sign = text.front();
    text.remove_prefix(1);
  }
  if (take_char(text, '0') && spec.align == '\0') {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = std::max<int64_t>(take_number(runtime, text), 0);
  spec.grouped = take_char(text, ',');
  if (take_char(text, '.')) spec.precision = take_number(runtime, text);
  if (!text.empty()) {
    spec.type = text.front();
    text.remove_prefix(1);
  }
  if (!text.empty() || (spec.grouped && spec.fill == "0")) {
    runtime.fail("the format " + repr_text(original) + " is not supported");
  }
  return spec;
}

// `str.format`: replacement fields by position or name, with attributes and items.
class FieldFormatter {
 public:
  FieldFormatter(Runtime& runtime, const Arguments& arguments) : runtime_(runtime), arguments_(arguments) {}

  std::string run(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
      out += text.substr(0, brace);
      text.remove_prefix(brace);
      if (text.empty()) break;
      const char kind = text.front();
      text.remove_prefix(1);
      if (take_char(text, kind)) {
        out.push_back(kind);
        continue;
      }
      const std::size_t end = text.find('}');
      if (kind == '}' || end == std::string_view::npos) {
        runtime_.fail("a single brace in a format string");
      }
      out += field(text.substr(0, end));
      text.remove_prefix(end + 1);
      runtime_.reserve_text(out.size());
    }
    return out;
  }

 private:
  std::string field(std::string_view text) {
    if (text.find('{') != std::string_view::npos) {
      runtime_.fail("replacement fields inside of a format are not supported");
    }
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, colon);
    const std::string_view spec = text.substr(std::min(colon + 1, text.size()));
    const std::size_t bang = std::min(name.find('!'), name.size());
    const std::string_view conversion = name.substr(bang);
    Value value = lookup(name.substr(0, bang));
    if (conversion == "!r") {
      value = runtime_.text(repr(runtime_, value));
    } else if (conversion == "!s") {
      value = runtime_.text(to_text(runtime_, value));
    } else if (!conversion.empty()) {
      runtime_.fail("the conversion " + repr_text(conversion) + " is not supported");
    }
    if (spec.empty()) return to_text(runtime_, value);
    if (!value.is_number() && !value.is_string()) {
      runtime_.fail("a format does not apply to " + std::string(value.type_name()));
    }
    return format_value(runtime_, value, parse_spec(runtime_, spec));
  }

  Value lookup(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    std::string_view path = name.substr(end);
    while (!path.empty()) {
      const bool is_attribute = take_char(path, '.');
      if (!is_attribute && !take_char(path, '[')) runtime_.fail("a format field is malformed");
      const std::size_t stop =
          is_attribute ? std::min(path.find_first_of(".["), path.size()) : path.find(']');
      if (stop == std::string_view::npos) runtime_.fail("a format field is malformed");
      std::string_view key = path.substr(0, stop);
      path.remove_prefix(is_attribute ? stop : stop + 1);
      if (is_attribute) {
        value = get_attribute(runtime_, value, std::string(key));
        continue;
      }
      const std::string text(key);
      const int64_t index = take_number(runtime_, key);
      value = get_item(runtime_, value, key.empty() && index >= 0 ? Value(index) : Value::constant(text));
    }
    return value;
  }

  Value first(std::string_view name) {
    const std::string key(name);
    const int64_t number = name.empty() ? next_++ : take_number(runtime_, name);
    if (number >= 0 && name.empty()) {
      if (number >= static_cast<int64_t>(arguments_.positional.size())) {
        runtime_.fail("replacement index " + std::to_string(number) + " out of range");
      }
      return arguments_.positional[static_cast<std::size_t>(number)];
    }
    for (const auto& [keyword, value] : arguments_.keywords) {
      if (keyword == key) return value;
    }
    runtime_.fail("the format's key " + repr_text(key) + " is missing");
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  int64_t next_ = 0;
};

}  // namespace

Value percent_format(Runtime& runtime, const Text& text, const Value& value) {
  if (text.markup) runtime.fail("formatting of escaped text (Markup) is not supported");
  return runtime.text(PercentFormatter(runtime, text.bytes, value).run());
}

std::string format_text(Runtime& runtime, std::string_view text, const Arguments& arguments) {
  return FieldFormatter(runtime, arguments).run(text);
}

}  // namespace saescope::jinja
