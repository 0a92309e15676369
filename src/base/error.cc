#include "base/error.h"

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/utf8.h"

namespace saescope {
namespace {

constexpr std::size_t kLongestFact = 2000;
/// Lists go on in a line of their own, below the fact's first word.
constexpr std::string_view kNextLine = "\n            ";

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 0xF];
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

std::string render(const ErrorDetail& detail) {
  std::string text;
  if (!detail.where.empty()) text += printable(detail.where) + ": ";
  text += printable(detail.what);
  if (!detail.expected.empty()) text += "\n  expected: " + printable(detail.expected);
  if (!detail.found.empty()) text += "\n  found:    " + printable(detail.found);
  if (!detail.hint.empty()) text += "\n  hint:     " + printable(detail.hint);
  return text;
}

}  // namespace

std::string printable(std::string_view fact) {
  std::string out;
  std::size_t pos = 0;
  while (pos < fact.size() && out.size() < kLongestFact) {
    const std::string_view rest = fact.substr(pos);
    const Utf8Char c = decode_utf8(fact, pos);
    if (rest.starts_with(kNextLine) && rest.size() > kNextLine.size()) {
      out += kNextLine;
      pos += kNextLine.size();
    } else if (c.length == 0 || is_control(c.code_point)) {
      append_escaped(out, fact[pos++]);
    } else {
      out += rest.substr(0, c.length);
      pos += c.length;
    }
  }
  if (pos < fact.size()) out += " … (" + std::to_string(fact.size()) + " bytes)";
  return out;
}

Error::Error(int exit_code, ErrorDetail detail)
    : std::runtime_error(render(detail)), exit_code_(exit_code), detail_(std::move(detail)) {}

RunError system_error(std::string what, std::string path, std::string hint) {
  const int code = errno;
  return RunError({.what = std::move(what),
                   .where = std::move(path),
                   .expected = {},
                   .found = std::generic_category().message(code),
                   .hint = std::move(hint)});
}

}  // namespace saescope
