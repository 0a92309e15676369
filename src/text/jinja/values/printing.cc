#include "text/jinja/values/printing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja/values/string_literal.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// "d.ddde±xx" of std::to_chars as Python writes it: positional where -4 <= exponent < 16.
std::string python_decimal(std::string_view scientific) {
  const std::size_t e = scientific.find('e');
  std::string digits;
  for (const char c : scientific.substr(0, e)) {
    if (c != '.') digits.push_back(c);
  }
  int exponent = 0;
  std::string_view power = scientific.substr(e + 1);
  if (power.front() == '+') power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (exponent < -4 || exponent >= 16) {
    std::string out = digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return digits + std::string(whole - digits.size(), '0') + ".0";
  return digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string join_reprs(Runtime& runtime, const std::vector<Value>& items) {
  std::string out;
  for (const Value& item : items) {
    if (!out.empty()) out += ", ";
    out += repr(runtime, item);
    if (out.size() > kMaxTextBytes) runtime.fail_limit("a text grows beyond 64 MiB");
  }
  return out;
}

std::string repr_sequence(Runtime& runtime, const Sequence& sequence) {
  const auto list = [&] { return "[" + join_reprs(runtime, sequence.items) + "]"; };
  switch (sequence.kind) {
    case SequenceKind::kList:
      return list();
    case SequenceKind::kTuple:
    case SequenceKind::kGroup:
      return "(" + join_reprs(runtime, sequence.items) + (sequence.items.size() == 1 ? ",)" : ")");
    case SequenceKind::kRange:
      return sequence.range_step == 1
                 ? fmt::format("range({}, {})", sequence.range_start, sequence.range_stop)
                 : fmt::format("range({}, {}, {})", sequence.range_start, sequence.range_stop,
                               sequence.range_step);
    case SequenceKind::kDictKeys:
      return "dict_keys(" + list() + ")";
    case SequenceKind::kDictValues:
      return "dict_values(" + list() + ")";
    case SequenceKind::kDictItems:
      return "dict_items(" + list() + ")";
    case SequenceKind::kGenerator:
      break;
  }
  runtime.fail("a generator is printed, which has no text of its own",
               "the template needs the filter 'list' or 'join' there");
}

std::string repr_dict(Runtime& runtime, const Dict& dict) {
  std::string out;
  for (const auto& [key, value] : dict.entries) {
    if (!out.empty()) out += ", ";
    out += repr(runtime, key) + ": " + repr(runtime, value);
    if (out.size() > kMaxTextBytes) runtime.fail_limit("a text grows beyond 64 MiB");
  }
  return "{" + out + "}";
}

}  // namespace

std::string repr_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  return (std::signbit(value) ? "-" : "") + python_decimal(text);
}

std::string repr_text(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const auto code_point = static_cast<uint32_t>(c.code_point);
    if (code_point == '\\' || code_point == static_cast<uint32_t>(quote)) {
      out += {'\\', text[at]};
    } else if (code_point == '\n') {
      out += "\\n";
    } else if (code_point == '\r') {
      out += "\\r";
    } else if (code_point == '\t') {
      out += "\\t";
    } else if (is_printable(c.code_point)) {
      out += text.substr(at, c.length);
    } else {
      out += backslash_escape(c.code_point);
    }
    at += c.length;
  }
  return out + quote;
}

std::string repr(Runtime& runtime, const Value& value) {
  const Runtime::Level level(runtime);
  runtime.spend(1);
  if (value.is_string()) {
    runtime.reserve_text(value.bytes().size());
    return value.text().markup ? "Markup(" + repr_text(value.bytes()) + ")" : repr_text(value.bytes());
  }
  if (value.is_undefined()) return "Undefined";
  if (value.is_sequence()) {
    std::string text = repr_sequence(runtime, value.sequence());
    runtime.reserve_text(text.size());
    return text;
  }
  if (value.is_dict()) {
    std::string text = repr_dict(runtime, value.dict());
    runtime.reserve_text(text.size());
    return text;
  }
  return to_text(runtime, value);
}

std::string to_text(Runtime& runtime, const Value& value) {
  if (value.is_string()) return value.bytes();
  if (value.is_undefined()) return {};
  if (value.is_none()) return "None";
  if (value.is_bool()) return value.as_bool() ? "True" : "False";
  if (value.is_int()) return std::to_string(value.integral());
  if (value.is_float()) return repr_float(value.number());
  if (value.is_object()) return value.object()->repr(runtime);
  return repr(runtime, value);
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

}  // namespace saescope::jinja
