#include "text/tokenizer/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/utf8.h"

namespace saescope {
namespace {

constexpr std::size_t kDeepest = 256;  // nested brackets in a skipped value
constexpr std::size_t kExcerpt = 24;   // bytes quoted in a message

// The first byte of a string's text that ends it, begins an escape or does not belong there.
std::size_t find_end_of_plain(std::string_view text, std::size_t pos) {
  for (; pos < text.size(); ++pos) {
    const auto c = static_cast<unsigned char>(text[pos]);
    if (c == '"' || c == '\\' || c < 0x20) break;
  }
  return pos;
}

constexpr std::array<bool, 256> mark_structure() {
  std::array<bool, 256> marked{};
  for (const char c : {'"', '[', ']', '{', '}'}) marked[static_cast<unsigned char>(c)] = true;
  return marked;
}

// The first quotation mark or bracket: what lies before one in a skipped value is not looked at.
std::size_t find_structure(std::string_view text, std::size_t pos) {
  static constexpr std::array<bool, 256> kMarked = mark_structure();
  while (pos < text.size() && !kMarked[static_cast<unsigned char>(text[pos])]) ++pos;
  return pos;
}

}  // namespace

std::string_view JsonReader::read_string() {
  expect('"');
  const std::size_t begin = pos_;
  buffer_.clear();
  std::size_t copied = begin;  // what lies before this is in buffer_
  for (;; ++pos_) {
    pos_ = find_end_of_plain(text_, pos_);
    if (pos_ >= text_.size()) fail("a closing quotation mark");
    if (text_[pos_] == '"') break;
    if (text_[pos_] != '\\') fail("no control character in a string");
    buffer_.append(text_.substr(copied, pos_ - copied));
    ++pos_;
    read_escape();
    copied = pos_ + 1;
  }
  const std::string_view rest = text_.substr(copied, pos_ - copied);
  ++pos_;
  if (copied == begin) return rest;
  buffer_.append(rest);
  return buffer_;
}

// Leaves pos_ at the escape's last character.
void JsonReader::read_escape() {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  const char c = pos_ < text_.size() ? text_[pos_] : '\0';
  if (c != 'u') {
    const std::size_t i = c == '\0' ? std::string_view::npos : kNames.find(c);
    if (i == std::string_view::npos) fail("a JSON escape");
    buffer_.push_back(kValues[i]);
    return;
  }
  char32_t code_point = read_four_hex_digits();
  if (code_point >= 0xD800 && code_point <= 0xDBFF && text_.substr(pos_ + 1, 2) == "\\u") {
    pos_ += 2;
    const char32_t low = read_four_hex_digits();
    if (low < 0xDC00 || low > 0xDFFF) fail("the second half of a surrogate pair");
    code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code_point >= 0xD800 && code_point <= 0xDFFF) fail("a surrogate pair");
  append_utf8(buffer_, code_point);
}

// Precondition: pos_ at the "u". Leaves it at the last digit.
uint32_t JsonReader::read_four_hex_digits() {
  const std::string_view digits = text_.substr(pos_ + 1, 4);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || digits.size() != 4 || end != digits.data() + 4) {
    fail("four hexadecimal digits");
  }
  pos_ += 4;
  return value;
}

uint64_t JsonReader::read_unsigned(uint64_t limit) {
  static_cast<void>(peek());
  uint64_t value = 0;
  const char* begin = text_.data() + pos_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc() || value > limit) {
    fail("a whole number from 0 to " + std::to_string(limit));
  }
  pos_ += static_cast<std::size_t>(end - begin);
  return value;
}

std::string_view JsonReader::skip_value() {
  static_cast<void>(peek());
  const std::size_t begin = pos_;
  std::string open;  // the brackets that are to be closed, innermost last
  do {
    if (!open.empty()) pos_ = find_structure(text_, pos_);
    const char c = peek();
    if (c == '\0') fail("a JSON value");
    if (c == '"') {
      skip_string();
    } else if (c == '{' || c == '[') {
      if (open.size() >= kDeepest) fail("less deeply nested JSON");
      open.push_back(c == '{' ? '}' : ']');
      ++pos_;
    } else if (c == '}' || c == ']') {
      if (open.empty() || open.back() != c) fail("a JSON value");
      open.pop_back();
      ++pos_;
    } else {
      pos_ = std::min(text_.find_first_of(",]} \t\r\n", pos_), text_.size());
      if (pos_ == begin) fail("a JSON value");
    }
  } while (!open.empty());
  return text_.substr(begin, pos_ - begin);
}

void JsonReader::skip_string() {
  std::size_t pos = pos_ + 1;
  while (pos < text_.size() && text_[pos] != '"') pos += text_[pos] == '\\' ? 2 : 1;
  pos_ = std::min(pos + 1, text_.size());
  if (pos >= text_.size()) fail("a closing quotation mark");
}

void JsonReader::expect_end() {
  if (peek() != '\0' || pos_ < text_.size()) fail("the end of the file");
}

void JsonReader::expect(char c) {
  if (!accept(c)) fail(std::string("\"") + c + "\"");
}

void JsonReader::fail(const std::string& expected) const {
  const std::string_view found = text_.substr(std::min(pos_, text_.size()), kExcerpt);
  throw InputError({.what = "malformed JSON",
                    .where = where_ + ", byte " + std::to_string(pos_),
                    .expected = expected,
                    .found = found.empty() ? "the end of the file" : std::string(found)});
}

}  // namespace saescope
