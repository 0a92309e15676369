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

/// Whether a byte of valid UTF-8 begins a character.
inline bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }

/// Start of the character that holds the byte at `pos`; `pos` itself at the end of the text. What invalid
/// UTF-8 gives is some position up to it.
inline std::size_t character_start(std::string_view text, std::size_t pos) {
  while (pos > 0 && pos < text.size() && !begins_character(text[pos])) --pos;
  return pos;
}

/// Whether a text's first bytes are those of UTF-16: its byte order mark, or a NUL in one of the first two.
bool begins_like_utf16(std::string_view text);

/// Byte offset of the first invalid sequence, or npos where all of `text` is valid UTF-8.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace saescope
