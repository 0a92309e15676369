#include "text/tokenizer/regex_dialect.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/unicode_tables.h"

namespace saescope {
namespace {

// Escaped letters with one meaning in both. Left out are, among others, \w and \b (PCRE2 counts no
// marks as word characters), \h (a hexadecimal digit in Ruby), \v and \x (a raw byte in Ruby).
constexpr std::string_view kEscapes = "sSdDpPrntfAz";
constexpr std::array<std::string_view, 8> kGroups = {
    "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"};
// The properties that regex_view keeps: general categories, and the script Han.
constexpr std::string_view kProperties =
    " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp "
    "C Cc Cf Co Cn Han ";

class DialectCheck {
 public:
  DialectCheck(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  void run() {
    while (pos_ < pattern_.size()) {
      const char c = pattern_[pos_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        character_class();
      } else if (c == '(') {
        group();
      } else if (c == '{') {
        repetition();
      } else {
        ++pos_;
      }
    }
  }

 private:
  [[noreturn]] void refuse(std::size_t length) const {
    throw InputError(
        {.what = "a regular expression of the tokenizer uses a construct that is not "
                 "implemented",
         .where = where_,
         .found = "\"" + std::string(pattern_.substr(pos_, length)) + "\" in " + std::string(pattern_)});
  }

  bool starts_with(std::string_view text) const {
    return pattern_.substr(pos_).substr(0, text.size()) == text;
  }

  static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  void escape() {
    const char c = pos_ + 1 < pattern_.size() ? pattern_[pos_ + 1] : '\0';
    if (is_letter_or_digit(c) && kEscapes.find(c) == std::string_view::npos) refuse(2);
    if (c == 'p' || c == 'P') {
      property();
    } else {
      pos_ += 2;
    }
  }

  void property() {
    const std::size_t end = pattern_.find('}', pos_);
    if (end == std::string_view::npos || pattern_[pos_ + 2] != '{') refuse(3);
    std::string name(pattern_.substr(pos_ + 3, end - pos_ - 3));
    if (!name.empty() && name.front() == '^') name.erase(0, 1);
    const bool one_word = name.find(' ') == std::string::npos;
    if (!one_word || kProperties.find(" " + name + " ") == std::string_view::npos) {
      refuse(end + 1 - pos_);
    }
    pos_ = end + 1;
  }

  // Ruby nests classes and intersects them with &&.
  void character_class() {
    ++pos_;
    if (pos_ < pattern_.size() && pattern_[pos_] == '^') ++pos_;
    if (pos_ < pattern_.size() && pattern_[pos_] == ']') refuse(1);
    while (pos_ < pattern_.size() && pattern_[pos_] != ']') {
      if (pattern_[pos_] == '[') refuse(2);
      if (starts_with("&&")) refuse(2);
      if (pattern_[pos_] == '\\') {
        escape();
      } else {
        ++pos_;
      }
    }
    ++pos_;
  }

  // What follows "(*" would be PCRE2's own verbs, such as (*SKIP) or (*CRLF).
  void group() {
    if (starts_with("(*")) refuse(3);
    if (!starts_with("(?")) {
      ++pos_;
      return;
    }
    for (const std::string_view known : kGroups) {
      if (starts_with(known)) {
        pos_ += known.size();
        return;
      }
    }
    refuse(4);
  }

  // {n}, {n,} and {n,m}. What follows them ("+", "?") Ruby reads as a repetition of the repetition.
  void repetition() {
    const std::size_t end = pattern_.find('}', pos_);
    if (end == std::string_view::npos) refuse(1);
    const std::string_view inside = pattern_.substr(pos_ + 1, end - pos_ - 1);
    const bool counts = !inside.empty() && inside.front() != ',' &&
                        inside.find_first_not_of("0123456789,") == std::string_view::npos;
    const bool followed = end + 1 < pattern_.size() && (pattern_[end + 1] == '+' || pattern_[end + 1] == '?');
    if (!counts || followed) refuse(end - pos_ + (followed ? 2 : 1));
    pos_ = end + 1;
  }

  std::string_view pattern_;
  const std::string& where_;
  std::size_t pos_ = 0;
};

}  // namespace

void refuse_replaced_characters(const std::string& pattern, const std::string& where) {
  for (std::size_t pos = 0; pos < pattern.size();) {
    const Utf8Char c = decode_utf8(pattern, pos);
    if (c.length == 0) return;  // the compiler reports it
    if (unicode::substitute(c.code_point) != c.code_point) {
      throw InputError({.what = "a pattern of the tokenizer names a character whose class differs "
                                "between versions of Unicode",
                        .where = where,
                        .found = pattern.substr(pos, c.length) + " in " + pattern});
    }
    pos += c.length;
  }
}

void refuse_other_dialects(const std::string& pattern, const std::string& where) {
  refuse_replaced_characters(pattern, where);
  DialectCheck(pattern, where).run();
}

}  // namespace saescope
