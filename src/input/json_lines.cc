#include "input/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <istream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"

namespace saescope {
namespace {

using Json = nlohmann::json;

/// Receives the events of one line; nlohmann's parser works without recursion.
class ObjectHandler final : public nlohmann::json_sax<Json> {
 public:
  ObjectHandler(std::span<JsonField> fields, std::vector<std::string>* keys) : fields_(fields), keys_(keys) {}

  std::string_view top = "nothing";  ///< type of the line's value
  std::string error;                 ///< the parser's reason; empty where the line is valid JSON

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("a boolean"); }
  bool number_integer(number_integer_t number) override { return integer(number); }
  bool number_unsigned(number_unsigned_t number) override { return integer(number); }
  bool number_float(number_float_t, const string_t& digits) override {
    value("a number");
    if (wanted()) current_->text = digits;
    return true;
  }
  bool binary(binary_t&) override { return value("bytes"); }
  bool string(string_t& text) override {
    value("a string");
    if (wanted()) current_->text = std::move(text);
    return true;
  }
  bool start_object(std::size_t) override { return open("an object"); }
  bool start_array(std::size_t) override { return open("a list"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    if (keys_ != nullptr) keys_->push_back(name);
    const auto field = std::ranges::find(fields_, std::string_view(name), &JsonField::name);
    current_ = field == fields_.end() ? nullptr : &*field;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& reason) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 7: syntax error …": the line
    // is always 1 here, so only the text behind the place is of use.
    const std::string_view text = reason.what();
    const std::size_t start = text.find(": ");
    const std::string_view clause = start == std::string_view::npos ? text : text.substr(start + 2);
    error = fmt::format("{} (byte {})", shorten(clause), position);
    return false;
  }

 private:
  /// The parser quotes all it has read of a token, which may be a whole prompt.
  static std::string shorten(std::string_view text) {
    constexpr std::size_t kLongest = 240;
    if (text.size() <= kLongest) return std::string(text);
    return std::string(text.substr(0, character_start(text, kLongest))) + " …";
  }

  bool wanted() const { return depth_ == 1 && current_ != nullptr; }
  bool value(std::string_view type) {
    if (depth_ == 0) top = type;
    if (wanted()) current_->type = type;
    return true;
  }
  template <typename Integer>
  bool integer(Integer number) {
    value("a number");
    if (wanted()) current_->text = std::to_string(number);
    return true;
  }
  bool open(std::string_view type) {
    value(type);
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  std::span<JsonField> fields_;
  std::vector<std::string>* keys_;
  std::size_t depth_ = 0;
  JsonField* current_ = nullptr;
};

/// The next line without its end. Of a longer one than a line may be only so much is read as shows it.
bool read_line(std::istream& in, std::string& line) {
  using Traits = std::istream::traits_type;
  line.clear();
  std::streambuf& bytes = *in.rdbuf();
  for (int byte = bytes.sbumpc(); byte != Traits::eof(); byte = bytes.sbumpc()) {
    if (byte == '\n') return true;
    line += Traits::to_char_type(byte);
    if (line.size() > kLongestJsonLine) return true;
  }
  return !line.empty();
}

void require_utf8(const JsonLine& line) {
  const std::size_t at = find_invalid_utf8(line.text);
  if (at == std::string_view::npos) return;
  throw json_line_error(
      "the line is not valid UTF-8", line, "text in UTF-8",
      fmt::format("byte 0x{:02X} at byte {} of the line",
                  static_cast<unsigned>(static_cast<unsigned char>(line.text[at])), at + 1));
}

void require_plain_line(const JsonLine& line) {
  if (line.text.size() > kLongestJsonLine) {
    throw json_line_error("the line is too long", line, fmt::format("at most {} bytes", kLongestJsonLine),
                          "more");
  }
  require_utf8(line);
  if (const std::size_t nul = line.text.find('\0'); nul != std::string_view::npos) {
    throw json_line_error("the line is not valid JSON", line, std::string(line.expected),
                          fmt::format("a NUL byte at byte {} of the line", nul + 1));
  }
}

}  // namespace

InputError json_line_error(std::string what, const JsonLine& line, std::string expected, std::string found) {
  return InputError({.what = std::move(what),
                     .where = line.place,
                     .expected = std::move(expected),
                     .found = std::move(found),
                     .hint = {}});
}

void for_each_json_line(std::istream& in, const JsonOrigin& origin,
                        const std::function<void(const JsonLine&)>& take) {
  std::string text;
  for (std::size_t number = origin.first_line; read_line(in, text); ++number) {
    if (number == 1 && text.starts_with(kUtf8ByteOrderMark)) text.erase(0, kUtf8ByteOrderMark.size());
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const JsonLine line = {text, number, fmt::format("{}:{}", origin.file, number), origin.expected};
    require_plain_line(line);
    take(line);
  }
}

namespace {

/// Walks over the bytes of JSON that stand outside of strings.
class JsonScanner {
 public:
  /// @return whether the byte stands outside of a string; the quotes count as inside
  bool outside(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      return false;
    }
    in_string_ = c == '"';
    return !in_string_;
  }

 private:
  bool in_string_ = false;
  bool escaped_ = false;
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// How long the constant is that a text begins with; 0 where it begins with none.
std::size_t python_constant(std::string_view text) {
  for (const std::string_view constant : {"-Infinity", "Infinity", "NaN"}) {
    if (!text.starts_with(constant)) continue;
    if (text.size() == constant.size() || !is_word(text[constant.size()])) return constant.size();
  }
  return 0;
}

}  // namespace

void for_each_json_element(std::streambuf& array, const JsonOrigin& origin,
                           const std::function<void(const JsonLine&)>& take) {
  using Traits = std::istream::traits_type;
  const auto place = [&](std::size_t line) { return fmt::format("{}:{}", origin.file, line); };
  JsonScanner scanner;
  std::size_t line = origin.first_line;
  std::size_t depth = 0;
  JsonLine element = {{}, line, {}, origin.expected};
  std::string text;
  const auto hand_out = [&] {
    element.text = text;
    element.place = place(element.number);
    if (text.empty()) return;
    require_plain_line(element);
    take(element);
    text.clear();
  };
  for (int byte = array.sbumpc(); byte != Traits::eof(); byte = array.sbumpc()) {
    const char c = Traits::to_char_type(byte);
    if (c == '\n') ++line;
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    const bool outside = scanner.outside(c);
    if (outside && depth == 0 && c != '[' && !blank) {
      throw json_line_error("text behind the JSON array", {{}, line, place(line), {}}, "the end of the file",
                            fmt::format("'{}'", c));
    }
    const bool opens = outside && (c == '[' || c == '{');
    const bool closes = outside && (c == ']' || c == '}');
    if (closes && --depth == 0) {
      hand_out();
    } else if (outside && depth == 1 && c == ',') {
      hand_out();
    } else if (depth > 0 && !(text.empty() && blank)) {
      if (text.empty()) element.number = line;
      if (text.size() <= kLongestJsonLine) text += c;
    }
    if (opens) ++depth;
  }
  if (depth == 0) return;
  throw json_line_error("the JSON array does not end", {{}, line, place(line), {}}, "a closing ]",
                        "the end of the file");
}

std::string without_python_constants(std::string_view json) {
  std::string text;
  JsonScanner scanner;
  for (std::size_t i = 0; i < json.size();) {
    std::size_t length = 0;
    if (scanner.outside(json[i]) && (i == 0 || !is_word(json[i - 1])))
      length = python_constant(json.substr(i));
    text += length > 0 ? "null" : std::string(1, json[i]);
    i += std::max<std::size_t>(length, 1);
  }
  return text;
}

void read_json_object(const JsonLine& line, std::span<JsonField> fields, std::vector<std::string>* keys) {
  ObjectHandler handler(fields, keys);
  if (!Json::sax_parse(line.text, &handler)) {
    if (const std::string plain = without_python_constants(line.text); plain != line.text) {
      for (JsonField& field : fields) field = {.name = field.name};
      if (keys != nullptr) keys->clear();
      handler = ObjectHandler(fields, keys);
      Json::sax_parse(plain, &handler);
    }
  }
  if (!handler.error.empty()) {
    throw json_line_error("the line is not valid JSON", line, std::string(line.expected), handler.error);
  }
  if (handler.top != "an object") {
    throw json_line_error("the line is not a JSON object", line, std::string(line.expected),
                          std::string(handler.top));
  }
}

}  // namespace saescope
