#include "text/jinja/values/unicode.h"

#include <string.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <span>

#include "base/utf8.h"
#include "text/jinja/values/unicode_tables.h"

namespace saescope::jinja {
namespace {

int category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool in_ranges(std::span<const CodePointRange> ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const CodePointRange& r) { return c >= r.first && c <= r.last; });
}

const SpecialCasing* special_casing(char32_t c) {
  const auto* found =
      std::lower_bound(kSpecialCasing.begin(), kSpecialCasing.end(), c,
                       [](const SpecialCasing& entry, char32_t wanted) { return entry.code_point < wanted; });
  return found != kSpecialCasing.end() && found->code_point == c ? found : nullptr;
}

void append(std::string& out, std::u32string_view text) {
  for (const char32_t c : text) append_utf8(out, c);
}

void append_upper(std::string& out, char32_t c) {
  if (const SpecialCasing* special = special_casing(c)) {
    append(out, special->upper);
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
  }
}

void append_title(std::string& out, char32_t c) {
  if (const SpecialCasing* special = special_casing(c)) {
    append(out, special->title);
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
  }
}

bool is_cased(char32_t c) { return is_lower(c) || is_upper(c) || is_title(c); }

// Unicode's Case_Ignorable.
bool is_case_ignorable(char32_t c) {
  static constexpr std::array<char32_t, 17> kMidWord = {U'\'',  U'.',   U':',   0xB7,   0x387,  0x55F,
                                                        0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                                        0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  if (std::find(kMidWord.begin(), kMidWord.end(), c) != kMidWord.end()) return true;
  const int kind = category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK;
}

// A sigma at the end of a word has its own small letter (Unicode's Final_Sigma condition).
bool is_final_sigma(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(std::string& out, std::u32string_view text, std::size_t at) {
  constexpr char32_t kSigma = 0x3A3;
  constexpr char32_t kDottedI = 0x130;
  const char32_t c = text[at];
  if (c == kSigma) {
    append_utf8(out, is_final_sigma(text, at) ? 0x3C2 : 0x3C3);
  } else if (c == kDottedI) {
    append(out, U"i\u0307");
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

}  // namespace

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::size_t byte_offset(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += decode_utf8(text, at).length;
  return at;
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    out.push_back(c.code_point);
    at += c.length;
  }
  return out;
}

std::string encode(std::u32string_view text) {
  std::string out;
  append(out, text);
  return out;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_alpha(char32_t c) {
  const int kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

bool is_digit(char32_t c) { return is_decimal(c) || in_ranges(kOtherDigits, c); }

bool is_alphanumeric(char32_t c) {
  const int kind = category(c);
  return is_alpha(c) || (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO);
}

bool is_lower(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL || in_ranges(kOtherLowercase, c); }

bool is_upper(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU || in_ranges(kOtherUppercase, c); }

bool is_title(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LT; }

bool is_printable(char32_t c) {
  if (c == U' ') return true;
  const int kind = category(c);
  return kind != UTF8PROC_CATEGORY_CN && kind != UTF8PROC_CATEGORY_CC && kind != UTF8PROC_CATEGORY_CF &&
         kind != UTF8PROC_CATEGORY_CS && kind != UTF8PROC_CATEGORY_CO && kind != UTF8PROC_CATEGORY_ZL &&
         kind != UTF8PROC_CATEGORY_ZP && kind != UTF8PROC_CATEGORY_ZS;
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : decode(text)) append_upper(out, c);
  return out;
}

std::string to_lower(std::string_view text) {
  const std::u32string code_points = decode(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < code_points.size(); ++i) append_lower(out, code_points, i);
  return out;
}

std::string to_title(std::string_view text) {
  const std::u32string code_points = decode(text);
  std::string out;
  bool in_word = false;
  for (std::size_t i = 0; i < code_points.size(); ++i) {
    if (in_word) {
      append_lower(out, code_points, i);
    } else {
      append_title(out, code_points[i]);
    }
    in_word = is_cased(code_points[i]);
  }
  return out;
}

std::string to_capitalized(std::string_view text) {
  const std::u32string code_points = decode(text);
  std::string out;
  if (!code_points.empty()) append_title(out, code_points[0]);
  for (std::size_t i = 1; i < code_points.size(); ++i) append_lower(out, code_points, i);
  return out;
}

std::string to_swapped_case(std::string_view text) {
  const std::u32string code_points = decode(text);
  std::string out;
  for (std::size_t i = 0; i < code_points.size(); ++i) {
    if (is_upper(code_points[i])) {
      append_lower(out, code_points, i);
    } else if (is_lower(code_points[i])) {
      append_upper(out, code_points[i]);
    } else {
      append_utf8(out, code_points[i]);
    }
  }
  return out;
}

std::string to_case_folded(std::string_view text) {
  std::string out;
  std::array<utf8proc_int32_t, 8> folded{};
  int boundary = 0;
  for (const char32_t c : decode(text)) {
    const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded.data(),
                                                           folded.size(), UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      append_utf8(out, static_cast<char32_t>(folded[static_cast<std::size_t>(i)]));
    }
  }
  return out;
}

std::string_view strip(std::string_view text, const std::string* characters, Side side) {
  std::u32string set = characters == nullptr ? std::u32string() : decode(*characters);
  std::sort(set.begin(), set.end());
  const auto goes = [&](char32_t c) {
    return characters == nullptr ? is_space(c) : std::binary_search(set.begin(), set.end(), c);
  };
  if (side != Side::kRight) {
    while (!text.empty()) {
      const Utf8Char c = decode_utf8(text, 0);
      if (!goes(c.code_point)) break;
      text.remove_prefix(c.length);
    }
  }
  if (side != Side::kLeft) {
    while (!text.empty()) {
      const std::size_t last = character_start(text, text.size() - 1);
      if (!goes(decode_utf8(text, last).code_point)) break;
      text = text.substr(0, last);
    }
  }
  return text;
}

std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (needle.empty()) return from;
  // std::string_view::find is quadratic on hostile text; memmem is not
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace saescope::jinja
