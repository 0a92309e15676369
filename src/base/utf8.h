#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace saescope {

/// What some editors put before a text.
inline constexpr std::string_view kUtf8ByteOrderMark = "\xEF\xBB\xBF";

/// One decoded code point and the number of bytes it took.
struct Utf8Char {
  char32_t code_point = 0;
  std::size_t length = 0;  ///< 0: not valid UTF-8 at this place (or end of text)
};

/// Decodes the code point at `text[pos]` (RFC 3629: no surrogates, no overlong forms).
Utf8Char decode_utf8(std::string_view text, std::size_t pos);

/// Appends a code point as UTF-8. Precondition: a Unicode scalar value.
void append_utf8(std::string& out, char32_t code_point);

/// Byte offset of the first invalid sequence, or npos where all of `text` is valid UTF-8.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace saescope
