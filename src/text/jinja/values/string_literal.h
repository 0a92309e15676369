#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace saescope::jinja {

/// Python's escape of a character that is not printable: \\xhh, \\uhhhh or \\Uhhhhhhhh.
std::string backslash_escape(char32_t character);

/// `\r\n` and `\r` become `\n`.
std::string normalize_newlines(std::string_view text);

/// Why a literal is refused.
struct LiteralError {
  std::string reason;
};

/// The text between the quotes of a string literal with its escapes resolved as Jinja does:
/// Python's `unicode-escape` after non-ASCII characters were written as escapes themselves.
std::variant<std::string, LiteralError> unescape_literal(std::string_view body);

}  // namespace saescope::jinja
