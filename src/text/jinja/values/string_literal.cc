#include "text/jinja/values/string_literal.h"

#include <fmt/format.h>

#include <cstdint>

#include "base/utf8.h"

namespace saescope::jinja {

std::string backslash_escape(char32_t character) {
  const auto code_point = static_cast<uint32_t>(character);
  if (code_point < 0x100) return fmt::format("\\x{:02x}", code_point);
  if (code_point < 0x10000) return fmt::format("\\u{:04x}", code_point);
  return fmt::format("\\U{:08x}", code_point);
}

namespace {

// Python's encode("ascii", "backslashreplace"): a backslash before a non-ASCII character thereby
// escapes the escape, which is why this is a step of its own.
std::string escape_non_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    if (c.code_point < 0x80) {
      out.push_back(text[at]);
    } else {
      out += backslash_escape(c.code_point);
    }
    at += c.length;
  }
  return out;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// Reads at most `limit` digits at `at` and moves it past them; sets `count` to how many there were.
uint32_t read_digits(std::string_view text, std::size_t& at, int base, std::size_t limit,
                     std::size_t& count) {
  uint32_t value = 0;
  for (count = 0; count < limit && at < text.size() && digit_value(text[at]) < base; ++count) {
    value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit_value(text[at++]));
  }
  return value;
}

// The character of a one-letter escape, or 0.
char simple_escape(char letter) {
  switch (letter) {
    case '\\':
    case '\'':
    case '"':
      return letter;
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return '\0';
  }
}

std::size_t hex_digits(char letter) {
  if (letter == 'x') return 2;
  if (letter == 'u') return 4;
  return letter == 'U' ? 8 : 0;
}

// Decodes the escape whose letter is at `at`; returns the reason where it cannot.
std::string append_escape(std::string& out, std::string_view text, std::size_t& at) {
  const char letter = text[at];
  std::size_t count = 0;
  if (letter == '\n') {
    ++at;
  } else if (const char simple = simple_escape(letter); simple != '\0') {
    out.push_back(simple);
    ++at;
  } else if (letter >= '0' && letter <= '7') {
    append_utf8(out, read_digits(text, at, 8, 3, count));
  } else if (const std::size_t wanted = hex_digits(letter); wanted != 0) {
    ++at;
    const uint32_t value = read_digits(text, at, 16, wanted, count);
    if (count < wanted) return fmt::format("the escape \\{} is cut short", letter);
    if (value > 0x10FFFF) return "an escape is no Unicode character";
    if (value >= 0xD800 && value <= 0xDFFF) return "an escape is half of a surrogate pair";
    append_utf8(out, value);
  } else if (letter == 'N') {
    return "escapes by character name (\\N) are not supported";
  } else {
    out.push_back('\\');
    out.push_back(letter);
    ++at;
  }
  return {};
}

}  // namespace

std::string normalize_newlines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out.push_back(text[i]);
    } else {
      out.push_back('\n');
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  return out;
}

std::variant<std::string, LiteralError> unescape_literal(std::string_view body) {
  const std::string text = escape_non_ascii(normalize_newlines(body));
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out.push_back(text[at++]);
      continue;
    }
    if (++at == text.size()) return LiteralError{"a backslash ends the string"};
    if (std::string reason = append_escape(out, text, at); !reason.empty()) {
      return LiteralError{std::move(reason)};
    }
  }
  return out;
}

}  // namespace saescope::jinja
