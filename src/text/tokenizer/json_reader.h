#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// Walks through a JSON text once, without building a document: a vocabulary and its merges are
/// hundreds of thousands of short strings, and reading them decides how soon a run can start.
/// Every member throws InputError where the text is not what is asked for.
class JsonReader {
 public:
  /// @param where the file's name, for messages
  JsonReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  /// Calls `member(key)` for every member of the object that comes next; it must read the value. The
  /// key is valid until the next string is read.
  template <typename Member>
  void read_object(Member member) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string key(read_string());
      expect(':');
      member(key);
    } while (accept(','));
    expect('}');
  }

  /// Calls `element()` for every element of the array that comes next; it must read the value.
  template <typename Element>
  void read_array(Element element) {
    expect('[');
    if (accept(']')) return;
    do element();
    while (accept(','));
    expect(']');
  }

  /// The string that comes next, escapes resolved. Valid until the next string is read.
  std::string_view read_string();

  /// The whole number that comes next. @throws InputError unless 0 ≤ number ≤ limit.
  uint64_t read_unsigned(uint64_t limit);

  /// Passes over the value that comes next and returns its text. Brackets and strings are checked,
  /// the rest is left to whoever reads the text.
  std::string_view skip_value();

  /// Whether the value that comes next is an array.
  bool at_array() { return peek() == '['; }

  /// @throws InputError unless the text ends here.
  void expect_end();

  /// Throws an InputError about this place in the text.
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  // The next byte that is not white space, '\0' at the end. Files are indented, so that spaces come in runs.
  char peek() {
    constexpr std::string_view kRun = "        ";
    std::size_t pos = pos_;
    while (pos < text_.size() && is_space(text_[pos])) {
      ++pos;
      while (text_.size() - pos >= kRun.size() &&
             std::memcmp(text_.data() + pos, kRun.data(), kRun.size()) == 0) {
        pos += kRun.size();
      }
    }
    pos_ = pos;
    return pos < text_.size() ? text_[pos] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++pos_;
    return true;
  }
  void expect(char c);
  void skip_string();
  void read_escape();
  uint32_t read_four_hex_digits();

  std::string_view text_;
  std::string where_;
  std::string buffer_;  // of a string with escapes
  std::size_t pos_ = 0;
};

}  // namespace saescope
