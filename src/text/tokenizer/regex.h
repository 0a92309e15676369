#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// A stretch [begin, end) of a text, in bytes.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A pattern of a pre-tokenizer. The Python library matches with Oniguruma (Ruby's dialect); this is
/// PCRE2, set up so that what both accept means the same. What would mean something else is refused.
/// Immutable and safe to share between threads.
class Regex {
 public:
  /// @throws InputError where the pattern cannot be compiled or is read differently by Oniguruma.
  static Regex from_pattern(const std::string& pattern, const std::string& where);
  /// Matches exactly this text. Precondition: not empty.
  static Regex from_literal(const std::string& text, const std::string& where);

  /// All matches in `text`, from left to right. @param text what `regex_view` returned, or a part of it
  /// @throws InputError where that takes too many steps (seconds) or too much memory.
  void find_all(std::string_view text, std::vector<TextRange>& matches) const;

 private:
  struct Code;
  explicit Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  [[noreturn]] void fail(int error, std::size_t bytes) const;
  std::shared_ptr<const Code> code_;
};

/// The text as the regexes are to see it: code points that PCRE2 may classify by another version of
/// Unicode than Oniguruma are replaced by others of their class. Offsets stay the same.
/// @param storage holds the result where something was replaced
std::string_view regex_view(std::string_view text, std::string& storage);

}  // namespace saescope
