#include "report/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kBom = "\xEF\xBB\xBF";

/// Receives the events of one line and keeps the wanted members; nlohmann's parser works without recursion.
class FieldHandler final : public nlohmann::json_sax<Json> {
 public:
  explicit FieldHandler(std::span<JsonField> fields) : fields_(fields) {}

  std::string top = "nothing";  ///< type of the line's value
  std::string error;            ///< the parser's reason; empty where the line is valid JSON

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("a boolean"); }
  bool number_integer(number_integer_t number) override { return whole_number(std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return whole_number(std::to_string(number)); }
  bool number_float(number_float_t, const string_t&) override { return value("a number"); }
  bool binary(binary_t&) override { return value("bytes"); }
  bool string(string_t& text) override {
    value("a string");
    if (depth_ == 1 && current_ != nullptr) current_->text = std::move(text);
    return true;
  }
  bool start_object(std::size_t) override { return open("an object"); }
  bool start_array(std::size_t) override { return open("a list"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const JsonField& field) { return field.key == name; });
    current_ = found == fields_.end() ? nullptr : &*found;
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
    std::size_t end = kLongest;
    while ((static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
    return std::string(text.substr(0, end)) + " …";
  }

  bool value(const char* type) {
    if (depth_ == 0) top = type;
    if (depth_ == 1 && current_ != nullptr) {
      current_->type = type;
      current_->text.clear();
    }
    return true;
  }
  bool whole_number(std::string digits) {
    value("a whole number");
    if (depth_ == 1 && current_ != nullptr) current_->text = std::move(digits);
    return true;
  }
  bool open(const char* type) {
    value(type);
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  std::span<JsonField> fields_;
  std::size_t depth_ = 0;
  JsonField* current_ = nullptr;
};

void require_plain(const JsonLine& line, std::string_view example) {
  if (line.text.size() > kLongestJsonLine) {
    refuse_json_line(line, "the line is too long", fmt::format("at most {} bytes", kLongestJsonLine), "more");
  }
  if (const std::size_t at = find_invalid_utf8(line.text); at != std::string_view::npos) {
    const auto byte = static_cast<unsigned char>(line.text[at]);
    refuse_json_line(
        line, "the line is not valid UTF-8", "text in UTF-8",
        fmt::format("byte 0x{:02X} at byte {} of the line", static_cast<unsigned>(byte), at + 1));
  }
  if (const std::size_t nul = line.text.find('\0'); nul != std::string_view::npos) {
    refuse_json_line(line, "the line is not valid JSON", std::string(example),
                     fmt::format("a NUL byte at byte {} of the line", nul + 1));
  }
}

/// The next line without its end. Of one that is too long only so much is read as shows it.
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

bool ends_in_one_of(const std::string& name, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

void refuse_json_line(const JsonLine& line, std::string what, std::string expected, std::string found) {
  throw InputError({.what = std::move(what),
                    .where = line.place,
                    .expected = std::move(expected),
                    .found = std::move(found),
                    .hint = {}});
}

void for_each_json_line(std::istream& in, const std::string& file, std::string_view example,
                        const std::function<void(const JsonLine&)>& take) {
  std::string text;
  for (std::size_t number = 1; read_line(in, text); ++number) {
    if (number == 1 && text.starts_with(kBom)) text.erase(0, kBom.size());
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const JsonLine line = {text, number, fmt::format("{}:{}", file, number)};
    require_plain(line, example);
    take(line);
  }
}

void read_json_fields(const JsonLine& line, std::string_view example, std::span<JsonField> fields) {
  FieldHandler handler(fields);
  Json::sax_parse(line.text, &handler);
  if (!handler.error.empty()) {
    refuse_json_line(line, "the line is not valid JSON", std::string(example), handler.error);
  }
  if (handler.top != "an object") {
    refuse_json_line(line, "the line is not a JSON object", std::string(example), handler.top);
  }
}

void require_regular_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return;
  throw InputError({.what = "is not a file of JSON lines",
                    .where = path.string(),
                    .expected = "a regular file, or a folder that holds such files",
                    .found = error ? error.message() : "something else under this name",
                    .hint = {}});
}

std::vector<fs::path> list_files(const fs::path& folder, std::span<const std::string_view> endings) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!ends_in_one_of(name, endings) || name.front() == '.') continue;
    require_regular_file(it->path());
    files.push_back(it->path());
  }
  if (error) {
    throw InputError({.what = "cannot list the folder",
                      .where = folder.string(),
                      .expected = {},
                      .found = error.message(),
                      .hint = "check the path and its permissions"});
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return a.filename().native() < b.filename().native();
  });
  return files;
}

}  // namespace saescope
