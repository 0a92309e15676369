#include "text/jinja/values/format_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/text_operations.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

constexpr int64_t kMaxPrecision = 300;

std::string digits_of(uint64_t magnitude, unsigned base, bool upper) {
  constexpr std::string_view kLower = "0123456789abcdef";
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  std::string out;
  do {
    out.insert(out.begin(), (upper ? kUpper : kLower)[magnitude % base]);
    magnitude /= base;
  } while (magnitude != 0);
  return out;
}

std::string decimal_text(Runtime& runtime, double magnitude, const FormatSpec& spec) {
  const auto precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
  std::array<char, 700> buffer{};  // 309 digits of the largest double, 300 of precision
  const auto print = [&](const char* format, double value) {
    const int length = std::snprintf(buffer.data(), buffer.size(), format, precision, value);
    return std::string(buffer.data(), static_cast<std::size_t>(length));
  };
  switch (spec.type) {
    case 'f':
      return print("%.*f", magnitude);
    case 'F':
      return print("%.*F", magnitude);
    case 'e':
      return print("%.*e", magnitude);
    case 'E':
      return print("%.*E", magnitude);
    case 'g':
      return print("%.*g", magnitude);
    case 'G':
      return print("%.*G", magnitude);
    case '%':
      return print("%.*f", magnitude * 100) + "%";
    default:
      break;
  }
  if (spec.type != '\0' || spec.precision >= 0) {
    runtime.fail(std::string("the number format '") + spec.type + "' is not supported");
  }
  return repr_float(magnitude);
}

std::string integer_text(Runtime& runtime, uint64_t magnitude, const FormatSpec& spec) {
  if (spec.precision >= 0) runtime.fail("a precision is not allowed for integers");
  switch (spec.type) {
    case '\0':
    case 'd':
      return digits_of(magnitude, 10, false);
    case 'x':
      return digits_of(magnitude, 16, false);
    case 'X':
      return digits_of(magnitude, 16, true);
    case 'o':
      return digits_of(magnitude, 8, false);
    case 'b':
      return digits_of(magnitude, 2, false);
    default:
      runtime.fail(std::string("the integer format '") + spec.type + "' is not supported");
  }
}

void group_thousands(std::string& number) {
  const std::size_t end = std::min(number.find_first_not_of("0123456789"), number.size());
  for (std::size_t at = end; at > 3; at -= 3) number.insert(at - 3, ",");
}

bool is_float_type(char type) {
  return std::string_view("fFeEgG%").find(type) != std::string_view::npos && type != '\0';
}

std::string number_text(Runtime& runtime, const Value& value, const FormatSpec& spec) {
  if (spec.precision > kMaxPrecision) runtime.fail("a precision of more than 300 digits");
  runtime.spend(8 + static_cast<uint64_t>(std::max<int64_t>(spec.precision, 0)));
  bool negative = false;
  std::string body;
  if (value.is_float() || is_float_type(spec.type)) {
    negative = std::signbit(value.number());
    body = decimal_text(runtime, std::abs(value.number()), spec);
  } else {
    const int64_t number = value.integral();
    negative = number < 0;
    const auto bits = static_cast<uint64_t>(number);
    body = integer_text(runtime, negative ? 0 - bits : bits, spec);
  }
  if (spec.grouped) group_thousands(body);
  if (negative) return "-" + body;
  return spec.sign == '-' ? body : spec.sign + body;
}

std::string align_text(Runtime& runtime, const std::string& text, const FormatSpec& spec, char fallback) {
  const char align = spec.align == '\0' ? fallback : spec.align;
  const auto size = static_cast<int64_t>(count_code_points(text));
  if (spec.width <= size) return text;
  const auto margin = static_cast<uint64_t>(spec.width - size);
  switch (align) {
    case '<':
      return pad(runtime, text, 0, margin, spec.fill);
    case '^':
      return pad(runtime, text, margin / 2, margin - margin / 2, spec.fill);
    case '=': {
      const std::size_t sign = text.find_first_not_of("+- ") == 1 ? 1 : 0;
      return text.substr(0, sign) + pad(runtime, text.substr(sign), margin, 0, spec.fill);
    }
    default:
      return pad(runtime, text, margin, 0, spec.fill);
  }
}

}  // namespace

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

FormatSpec parse_format_spec(Runtime& runtime, std::string_view text) {
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

std::string format_value(Runtime& runtime, const Value& value, const FormatSpec& spec) {
  const bool plain_bool = value.is_bool() && spec.type == '\0' && spec.width == 0;
  if (value.is_number() && !plain_bool && spec.type != 's') {
    return align_text(runtime, number_text(runtime, value, spec), spec, '>');
  }
  if (spec.type != '\0' && spec.type != 's') {
    runtime.fail(std::string("the format '") + spec.type + "' does not apply to " +
                 std::string(value.type_name()));
  }
  std::string text = to_text(runtime, value);
  if (spec.precision >= 0) {
    text.resize(byte_offset(text, static_cast<std::size_t>(spec.precision)));
  }
  return align_text(runtime, text, spec, '<');
}

}  // namespace saescope::jinja
