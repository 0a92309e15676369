#include "text/jinja/library/number_filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "text/jinja/library/filters.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// The text of a number without white space, and without underscores between digits; nothing where
// an underscore stands elsewhere.
std::optional<std::string> plain_number(Runtime& runtime, std::string_view text) {
  text = strip(text, nullptr, Side::kBoth);
  std::string out;
  const auto is_word = [&](std::size_t i) {
    return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])) != 0;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
    } else if (i == 0 || !is_word(i - 1) || !is_word(i + 1)) {
      return std::nullopt;
    }
  }
  const bool foreign = std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  if (foreign) {
    for (const char32_t c : decode(text)) {
      if (c >= 0x80 && is_decimal(c)) runtime.fail("digits other than 0 to 9 are not supported");
    }
  }
  return out;
}

// Python's int(text, base); nothing where it raises ValueError.
std::optional<int64_t> parse_integer(Runtime& runtime, std::string_view source, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  const auto plain = plain_number(runtime, source);
  if (!plain || plain->empty()) return std::nullopt;
  std::string_view digits = *plain;
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.remove_prefix(1);
  const char letter = digits.size() > 1 && digits[0] == '0' ? static_cast<char>(digits[1] | 0x20) : '\0';
  const int64_t prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (prefixed != 0 && (base == 0 || base == prefixed)) {
    base = prefixed;
    digits.remove_prefix(2);
  } else if (base == 0) {
    const bool zeros = digits.find_first_not_of('0') == std::string_view::npos;
    if (digits.starts_with('0') && !zeros) return std::nullopt;
    base = 10;
  }
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  const std::string text = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(base));
  if (read.ptr != text.data() + text.size()) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    runtime.fail("an integer has more than 64 bits, which is not supported");
  }
  return read.ec == std::errc() ? std::optional<int64_t>(value) : std::nullopt;
}

// Python's float(text); nothing where it raises ValueError.
std::optional<double> parse_float(Runtime& runtime, std::string_view source) {
  const auto plain = plain_number(runtime, source);
  if (!plain) return std::nullopt;
  std::string_view text = *plain;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('-')) return std::nullopt;
  const std::string word = to_lower(text);
  double value = 0;
  if (word == "inf" || word == "infinity") {
    value = HUGE_VAL;
  } else if (word == "nan") {
    value = std::nan("");
  } else {
    if (word.find_first_not_of("0123456789.e+-") != std::string::npos) return std::nullopt;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc::invalid_argument || read.ptr != text.data() + text.size()) {
      return std::nullopt;
    }
    // from_chars leaves the value alone where it overflows or underflows
    if (read.ec == std::errc::result_out_of_range) value = std::strtod(word.c_str(), nullptr);
  }
  return negative ? -value : value;
}

Value integer_of(Runtime& runtime, double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(std::abs(value) < kLimit)) runtime.fail("cannot convert float to a 64-bit integer");
  return Value(static_cast<int64_t>(value));
}

Value to_int(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "int", arguments, {"value", "default", "base"}, 1);
  const Value& value = parameters[0];
  const Value fallback = parameters.find(1) == nullptr ? Value(int64_t{0}) : parameters[1];
  if (value.is_undefined()) runtime.fail(value.undefined_message());
  if (value.is_integral()) return Value(value.integral());
  if (value.is_float()) {
    return std::isnan(value.number()) ? fallback : integer_of(runtime, value.number());
  }
  if (!value.is_string()) return fallback;
  runtime.spend_bytes(value.bytes().size());
  if (const auto parsed = parse_integer(runtime, value.bytes(), parameters.integer(2, 10))) {
    return Value(*parsed);
  }
  const auto real = parse_float(runtime, value.bytes());
  return real && std::isfinite(*real) ? integer_of(runtime, *real) : fallback;
}

Value to_float(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "float", arguments, {"value", "default"}, 1);
  const Value& value = parameters[0];
  const Value fallback = parameters.find(1) == nullptr ? Value(0.0) : parameters[1];
  if (value.is_undefined()) runtime.fail(value.undefined_message());
  if (value.is_number()) return Value(value.number());
  if (!value.is_string()) return fallback;
  runtime.spend_bytes(value.bytes().size());
  const auto parsed = parse_float(runtime, value.bytes());
  return parsed ? Value(*parsed) : fallback;
}

Value absolute(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "abs", arguments, {""}, 1);
  const Value& value = parameters[0];
  if (!value.is_number()) {
    runtime.fail("bad operand type for abs(): '" + std::string(value.type_name()) + "'");
  }
  return value.number() < 0 ? signed_value(runtime, value, true) : signed_value(runtime, value, false);
}

// Python's round(value, precision): exact halves go to the even neighbour.
Value round_half_even(Runtime& runtime, const Value& value, int64_t precision) {
  constexpr int64_t kMaxDigits = 300;
  if (precision < 0) runtime.fail("round() to tens and above is not supported");
  if (value.is_integral()) return Value(value.integral());
  const double number = value.number();
  if (!std::isfinite(number) || precision > kMaxDigits) return value;
  runtime.spend(64 + static_cast<uint64_t>(precision));  // writing and reading hundreds of digits
  std::array<char, 700> buffer{};                        // 309 digits before the point, 300 behind it
  std::snprintf(buffer.data(), buffer.size(), "%.*f", static_cast<int>(precision), number);
  return Value(std::strtod(buffer.data(), nullptr));
}

Value round_number(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "round", arguments, {"value", "precision", "method"}, 1);
  const Value& value = parameters[0];
  const int64_t precision = parameters.integer(1, 0);
  const std::string method = parameters.find(2) == nullptr ? "common" : parameters.string(2).bytes;
  if (method != "common" && method != "ceil" && method != "floor") {
    runtime.fail("round(): method must be common, ceil or floor");
  }
  if (value.is_undefined()) runtime.fail(value.undefined_message());
  if (!value.is_number()) {
    runtime.fail("round() needs a number, not " + std::string(value.type_name()));
  }
  if (method == "common") return round_half_even(runtime, value, precision);
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = value.number() * scale;
  if (!std::isfinite(scaled)) runtime.fail("round() of a number that is not finite");
  const double whole = method == "ceil" ? std::ceil(scaled) : std::floor(scaled);
  return Value((whole + 0.0) / scale);  // Python goes by way of int, which has no -0
}

constexpr std::array<FilterEntry, 4> kNumberFilters = {
    {{"abs", absolute}, {"float", to_float}, {"int", to_int}, {"round", round_number}}};

}  // namespace

std::span<const FilterEntry> number_filters() { return kNumberFilters; }

}  // namespace saescope::jinja
