#include "cli/configuration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace saescope {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kMostParts = 16;

/// Length of the string at the start of `text`, both quotes included. One that is not closed reaches to the
/// end: the parser will say so.
std::size_t string_length(std::string_view text) {
  const bool is_basic = text.front() == '"';
  const std::string_view three = is_basic ? "\"\"\"" : "'''";
  const std::string_view quote = text.starts_with(three) ? three : three.substr(0, 1);
  for (std::size_t at = quote.size(); at < text.size(); ++at) {
    if (is_basic && text[at] == '\\') {
      ++at;
    } else if (text.substr(at).starts_with(quote)) {
      return at + quote.size();
    }
  }
  return text.size();
}

}  // namespace

void check_configuration_text(std::string_view toml, const std::string& file) {
  if (toml.size() > kMostBytes) {
    throw InputError({.what = "the file is too large for a configuration",
                      .where = file,
                      .expected = fmt::format("at most {} bytes", kMostBytes),
                      .found = fmt::format("{} bytes", toml.size())});
  }
  constexpr std::string_view kBetweenKeys = "\n=,{}[]";
  std::size_t parts = 1;
  std::size_t line = 1;
  for (std::size_t at = 0; at < toml.size();) {
    const char c = toml[at];
    std::size_t length = 1;
    if (c == '"' || c == '\'') {
      length = string_length(toml.substr(at));
    } else if (c == '#') {
      length = std::min(toml.find('\n', at), toml.size()) - at;
    } else if (kBetweenKeys.find(c) != std::string_view::npos) {
      parts = 1;
    } else if (c == '.' && ++parts > kMostParts) {
      throw InputError({.what = "a key is nested too deeply",
                        .where = fmt::format("{}:{}", file, line),
                        .expected = fmt::format("at most {} parts", kMostParts)});
    }
    const std::string_view passed = toml.substr(at, length);
    line += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    at += length;
  }
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace saescope
