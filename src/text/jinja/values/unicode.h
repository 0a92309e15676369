#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace saescope::jinja {

// What Python's `str` knows about Unicode. All text is valid UTF-8.

std::size_t count_code_points(std::string_view text);
/// Byte offset of code point `index`; the text's end where it has fewer.
std::size_t byte_offset(std::string_view text, std::size_t index);

std::u32string decode(std::string_view text);
std::string encode(std::u32string_view text);

/// The predicates of `str` on one code point.
bool is_space(char32_t c);
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);
bool is_alphanumeric(char32_t c);
bool is_lower(char32_t c);
bool is_upper(char32_t c);
bool is_title(char32_t c);
bool is_printable(char32_t c);

/// Full case mappings (one code point may become several), as `str.upper` and so on.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);
std::string to_capitalized(std::string_view text);
std::string to_swapped_case(std::string_view text);
std::string to_case_folded(std::string_view text);

enum class Side { kLeft, kRight, kBoth };

/// `str.strip` and its one-sided forms with a set of characters, or with white space where
/// `characters` is null.
std::string_view strip(std::string_view text, const std::string* characters, Side side);

/// Position of `needle` in `text` at or after `from`, or npos. Linear in the worst case.
std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from = 0);

}  // namespace saescope::jinja
