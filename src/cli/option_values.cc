#include "cli/option_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/json_text.h"
#include "cli/suggestion.h"

namespace saescope {
namespace {

InputError bad_value(const Argument& argument, std::string_view expected, std::string hint = {}) {
  return InputError({.what = "the value cannot be used",
                     .where = argument.flag,
                     .expected = std::string(expected),
                     .found = shown_text(argument.text),
                     .hint = std::move(hint)});
}

/// The whole of `text` as a number, nothing left over.
template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename T>
T parse_finite(const Argument& argument, std::string_view expected) {
  const std::optional<T> value = parse_whole<T>(argument.text);
  if (!value || !std::isfinite(*value)) throw bad_value(argument, expected);
  return *value;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Bytes of a unit as it stands behind the number.
std::optional<double> unit_bytes(std::string_view unit) {
  std::string lower(unit);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower.empty() || lower == "b") return 1.0;
  const std::size_t power = std::string_view("kmgt").find(lower.front());
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(lower).substr(1);
  if (rest == "b") return std::pow(1000.0, static_cast<double>(power + 1));
  if (rest.empty() || rest == "ib") return std::pow(1024.0, static_cast<double>(power + 1));
  return std::nullopt;
}

}  // namespace

double parse_double(const Argument& argument, std::string_view expected) {
  return parse_finite<double>(argument, expected);
}

float parse_float(const Argument& argument, std::string_view expected) {
  return parse_finite<float>(argument, expected);
}

int64_t parse_integer(const Argument& argument, int64_t smallest, int64_t largest) {
  const std::optional<int64_t> value = parse_whole<int64_t>(argument.text);
  if (!value || *value < smallest || *value > largest) {
    throw bad_value(argument, fmt::format("a whole number from {} to {}", smallest, largest));
  }
  return *value;
}

uint64_t parse_size(const Argument& argument) {
  constexpr auto kExpected = "a size such as 8GiB, 512MiB or 2GB";
  constexpr double kLargest = 1e18;  // below 2^63, and no machine has it
  const std::string_view text = trim(argument.text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<double> number = parse_whole<double>(text.substr(0, digits));
  const std::optional<double> unit = unit_bytes(trim(text.substr(digits)));
  if (!number || !unit) throw bad_value(argument, kExpected);
  const double bytes = *number * *unit;
  if (!(bytes >= 1.0) || bytes > kLargest) throw bad_value(argument, kExpected);
  return static_cast<uint64_t>(bytes);
}

std::vector<std::string> parse_list(const Argument& argument) {
  std::vector<std::string> parts;
  std::string_view rest = argument.text;
  for (;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = trim(rest.substr(0, comma));
    if (part.empty()) throw bad_value(argument, "names separated by commas, none of them empty");
    parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::string> split_words(std::string_view words) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find('|', begin), words.size());
    parts.emplace_back(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::size_t parse_choice(const Argument& argument, std::string_view alternatives) {
  const std::vector<std::string> words = split_words(alternatives);
  const auto found = std::find(words.begin(), words.end(), argument.text);
  if (found == words.end()) {
    throw bad_value(argument, fmt::format("one of {}", fmt::join(words, ", ")),
                    did_you_mean(argument.text, words, {}));
  }
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace saescope
