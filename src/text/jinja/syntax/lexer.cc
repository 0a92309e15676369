#include "text/jinja/syntax/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/utf8.h"
#include "text/jinja/values/string_literal.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

// `keep_trailing_newline=False`: one line end at the template's end is not part of it.
std::string normalize_source(std::string_view source) {
  std::string out = normalize_newlines(source);
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// Length of `\d+(_\d+)*` at `at`.
std::size_t grouped_digits(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size()) {
    if (is_ascii_digit(text[end])) {
      ++end;
    } else if (text[end] == '_' && end > at && text[end - 1] != '_' && end + 1 < text.size() &&
               is_ascii_digit(text[end + 1])) {
      ++end;
    } else {
      break;
    }
  }
  return end - at;
}

// Length of a float literal at the start of `text`: a fraction, an exponent, or both; 0 if none.
std::size_t float_length(std::string_view text) {
  std::size_t end = grouped_digits(text, 0);
  if (end == 0) return 0;
  bool is_float = false;
  if (end < text.size() && text[end] == '.') {
    if (const std::size_t fraction = grouped_digits(text, end + 1)) {
      end += 1 + fraction;
      is_float = true;
    }
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    if (const std::size_t exponent = grouped_digits(text, digits)) {
      end = digits + exponent;
      is_float = true;
    }
  }
  return is_float ? end : 0;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where) : source_(normalize_source(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_data();
    add(TokenType::kEnd, {});
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(std::string what) const { fail_syntax(where_, line_, std::move(what)); }
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool looking_at(std::string_view text) const { return rest().substr(0, text.size()) == text; }

  Token& add(TokenType type, std::string value) {
    return tokens_.emplace_back(Token{.type = type, .value = std::move(value), .line = line_});
  }

  // Moves on and counts the lines that were passed.
  void advance(std::size_t bytes) {
    const std::string_view passed = rest().substr(0, bytes);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += bytes;
    at_line_start_ = at_ > 0 && source_[at_ - 1] == '\n';
  }

  void skip_space() { advance(rest().size() - strip(rest(), nullptr, Side::kLeft).size()); }

  void read_data();
  void add_text(std::string_view text, char sign, bool may_strip_indentation);
  bool read_raw_block();
  std::size_t raw_begin_length(bool& strips) const;
  void read_comment();
  void read_tag(TokenType begin);
  bool read_tag_end(bool is_block);
  void read_token();
  bool read_integer();
  void read_integer_digits(std::string_view digits, int base);
  bool read_name();
  bool read_string();
  bool read_operator();

  std::string source_;
  std::string_view where_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;
  std::vector<char> open_brackets_;  // the closing ones that are due
  std::vector<Token> tokens_;
};

// White space control of the tag that follows: '-' takes all white space, a block's own line
// indentation goes by lstrip_blocks unless the sign is '+'.
void Lexer::add_text(std::string_view text, char sign, bool may_strip_indentation) {
  std::string_view kept = text;
  if (sign == '-') {
    kept = strip(text, nullptr, Side::kRight);
  } else if (sign != '+' && may_strip_indentation) {
    const std::size_t newline = text.rfind('\n');
    const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    const bool whole_line = line_start > 0 || at_line_start_;
    if (whole_line && strip(text.substr(line_start), nullptr, Side::kLeft).empty()) {
      kept = text.substr(0, line_start);
    }
  }
  if (!kept.empty()) add(TokenType::kData, std::string(kept));
  advance(text.size());
}

// Text up to the next tag, then the tag.
void Lexer::read_data() {
  std::size_t tag = 0;
  for (;; ++tag) {
    tag = rest().find('{', tag);
    if (tag == std::string_view::npos || tag + 1 >= rest().size()) {
      add_text(rest(), '+', false);
      return;
    }
    const char kind = rest()[tag + 1];
    if (kind == '{' || kind == '%' || kind == '#') break;
  }
  const std::string_view text = rest().substr(0, tag);
  const char kind = rest()[tag + 1];
  const char after = tag + 2 < rest().size() ? rest()[tag + 2] : '\0';
  const char sign = after == '-' || after == '+' ? after : '\0';
  add_text(text, sign, kind != '{');
  if (kind == '%' && read_raw_block()) return;
  advance(sign == '\0' ? 2 : 3);
  if (kind == '#') {
    read_comment();
  } else {
    read_tag(kind == '%' ? TokenType::kBlockBegin : TokenType::kVariableBegin);
  }
}

// Length of `{% raw %}` at this place or 0; whether it takes the white space behind it.
std::size_t Lexer::raw_begin_length(bool& strips) const {
  std::string_view tag = rest().substr(2);
  if (!tag.empty() && (tag[0] == '-' || tag[0] == '+')) tag.remove_prefix(1);
  tag = strip(tag, nullptr, Side::kLeft);
  if (tag.substr(0, 3) != "raw") return 0;
  tag = strip(tag.substr(3), nullptr, Side::kLeft);
  strips = tag.substr(0, 1) == "-";
  if (strips) tag.remove_prefix(1);
  return tag.substr(0, 2) == "%}" ? rest().size() - tag.size() + 2 : 0;
}

// The text of `{% raw %}…{% endraw %}`; false where no raw block begins here.
bool Lexer::read_raw_block() {
  bool strips = false;
  const std::size_t begin = raw_begin_length(strips);
  if (begin == 0) return false;
  advance(begin);
  if (strips) skip_space();
  for (std::size_t tag = 0;; tag += 2) {
    tag = rest().find("{%", tag);
    if (tag == std::string_view::npos) fail("a raw block is not closed");
    std::string_view end = rest().substr(tag + 2);
    const char sign = !end.empty() && (end[0] == '-' || end[0] == '+') ? end[0] : '\0';
    if (sign != '\0') end.remove_prefix(1);
    end = strip(end, nullptr, Side::kLeft);
    if (end.substr(0, 6) != "endraw") continue;
    end = strip(end.substr(6), nullptr, Side::kLeft);
    const char end_sign = !end.empty() && (end[0] == '-' || end[0] == '+') ? end[0] : '\0';
    if (end.substr(end_sign == '\0' ? 0 : 1, 2) != "%}") continue;
    const std::size_t to_end = rest().size() - end.size();
    add_text(rest().substr(0, tag), sign, true);
    advance(to_end - tag);
    return read_tag_end(true);
  }
}

void Lexer::read_comment() {
  const std::size_t end = rest().find("#}");
  if (end == std::string_view::npos) fail("a comment is not closed");
  const char sign = end > 0 ? rest()[end - 1] : '\0';
  advance(end + 2);
  if (sign == '-') {
    skip_space();
  } else if (sign != '+' && looking_at("\n")) {
    advance(1);
  }
}

// The end of a tag, with trim_blocks: the line end behind a block goes.
bool Lexer::read_tag_end(bool is_block) {
  const std::string_view end = is_block ? "%}" : "}}";
  const bool minus = looking_at("-") && rest().substr(1, 2) == end;
  const bool plus = is_block && looking_at("+") && rest().substr(1, 2) == end;
  if (!minus && !plus && !looking_at(end)) return false;
  advance(minus || plus ? 3 : 2);
  if (minus) {
    skip_space();
  } else if (is_block && !plus && looking_at("\n")) {
    advance(1);
  }
  return true;
}

void Lexer::read_tag(TokenType begin) {
  const bool is_block = begin == TokenType::kBlockBegin;
  add(begin, {});
  for (;;) {
    skip_space();
    if (at_ == source_.size()) fail("the template ends inside a tag");
    const int line = line_;
    // inside brackets `}}` closes two of them
    if (open_brackets_.empty() && read_tag_end(is_block)) {
      add(is_block ? TokenType::kBlockEnd : TokenType::kVariableEnd, {}).line = line;
      return;
    }
    read_token();
  }
}

void Lexer::read_token() {
  const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
  if (const std::size_t length = after_dot ? 0 : float_length(rest())) {
    std::string digits(rest().substr(0, length));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc()) fail("the number " + digits + " is out of range");
    add(TokenType::kFloat, digits).real = value;
    advance(length);
    return;
  }
  if (read_integer() || read_name() || read_string() || read_operator()) return;
  fail("unexpected character '" + std::string(rest().substr(0, decode_utf8(rest(), 0).length)) + "'");
}

void Lexer::read_integer_digits(std::string_view digits, int base) {
  std::string plain(digits);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  int64_t value = 0;
  const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
  if (read.ec != std::errc()) {
    constexpr std::size_t kShown = 40;
    const std::string shown = plain.size() > kShown ? plain.substr(0, kShown) + "…" : plain;
    fail("the integer " + shown + " has more than 64 bits");
  }
  add(TokenType::kInteger, plain).integer = value;
}

bool Lexer::read_integer() {
  const std::string_view text = rest();
  if (!is_ascii_digit(text[0])) return false;
  struct Prefix {
    char letter;
    int base;
    std::string_view digits;
  };
  static constexpr std::array<Prefix, 3> kPrefixes = {
      {{'b', 2, "01"}, {'o', 8, "01234567"}, {'x', 16, "0123456789abcdefABCDEF"}}};
  const char letter = text.size() > 1 ? static_cast<char>(text[1] | 0x20) : '\0';
  for (const Prefix& prefix : kPrefixes) {
    if (text[0] != '0' || letter != prefix.letter) continue;
    std::size_t end = 2;
    while (end < text.size()) {
      const std::size_t digit = text[end] == '_' ? end + 1 : end;
      if (digit >= text.size() || prefix.digits.find(text[digit]) == std::string_view::npos) break;
      end = digit + 1;
    }
    if (end == 2) break;
    read_integer_digits(text.substr(2, end - 2), prefix.base);
    advance(end);
    return true;
  }
  // a number that begins with zero is zero: what follows is another token
  std::size_t length = grouped_digits(text, 0);
  if (text[0] == '0') length = std::min(length, text.find_first_not_of("0_"));
  read_integer_digits(text.substr(0, length), 10);
  advance(length);
  return true;
}

bool Lexer::read_name() {
  std::size_t end = 0;
  while (at_ + end < source_.size()) {
    const Utf8Char c = decode_utf8(source_, at_ + end);
    if (c.code_point != U'_' && !is_alphanumeric(c.code_point)) break;
    end += c.length;
  }
  if (end == 0) return false;
  add(TokenType::kName, std::string(rest().substr(0, end)));
  advance(end);
  return true;
}

bool Lexer::read_string() {
  const std::string_view text = rest();
  const char quote = text[0];
  if (quote != '\'' && quote != '"') return false;
  std::size_t end = 1;
  while (end < text.size() && text[end] != quote) end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) fail("a string is not closed");
  auto value = unescape_literal(text.substr(1, end - 1));
  if (const auto* error = std::get_if<LiteralError>(&value)) fail(error->reason);
  add(TokenType::kString, std::move(std::get<std::string>(value)));
  advance(end + 1);
  return true;
}

bool Lexer::read_operator() {
  static constexpr std::array<std::string_view, 26> kOperators = {
      "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
      "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
  const auto* op = std::find_if(kOperators.begin(), kOperators.end(),
                                [this](std::string_view text) { return looking_at(text); });
  if (op == kOperators.end()) return false;
  const char c = op->front();
  if (c == '(') open_brackets_.push_back(')');
  if (c == '[') open_brackets_.push_back(']');
  if (c == '{') open_brackets_.push_back('}');
  if (c == ')' || c == ']' || c == '}') {
    if (open_brackets_.empty()) fail(std::string("unexpected '") + c + "'");
    if (open_brackets_.back() != c) {
      fail(std::string("unexpected '") + c + "', expected '" + open_brackets_.back() + "'");
    }
    open_brackets_.pop_back();
  }
  add(TokenType::kOperator, std::string(*op));
  advance(op->size());
  return true;
}

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view where) {
  return Lexer(source, where).run();
}

void fail_syntax(std::string_view where, int line, std::string what) {
  throw InputError({.what = "the chat template cannot be read: " + std::move(what),
                    .where = std::string(where) + ", line " + std::to_string(line),
                    .expected = "a Jinja template as transformers renders it",
                    .found = {},
                    .hint = {}});
}

}  // namespace saescope::jinja
