#include "report/prompts_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "report/json_text.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr auto kExample = "an object such as {\"content\": \"How do you feel?\", \"label\": \"emotional\"}";

/// One of the two keys we read. The last occurrence of a key counts, as in Python.
struct TextField {
  std::string text;
  std::string type = "nothing";  ///< what stood there, for messages; "a string" where text is set

  bool is_string() const { return type == "a string"; }
  bool is_absent() const { return type == "nothing"; }
};

/// Receives the events of one line. Only the two strings are kept, whatever else the line holds,
/// and nlohmann's parser works without recursion: a line's depth and length cost no stack.
class PromptHandler final : public nlohmann::json_sax<Json> {
 public:
  TextField content;
  TextField label;
  std::string top = "nothing";  ///< type of the line's value
  std::string error;            ///< the parser's reason; empty where the line is valid JSON

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("a boolean"); }
  bool number_integer(number_integer_t) override { return value("a number"); }
  bool number_unsigned(number_unsigned_t) override { return value("a number"); }
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
    current_ = name == "content" ? &content : name == "label" ? &label : nullptr;
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
    if (depth_ == 1 && current_ != nullptr) current_->type = type;
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

  std::size_t depth_ = 0;
  TextField* current_ = nullptr;
};

InputError bad_line(std::string what, std::string place, std::string expected, std::string found) {
  return InputError({.what = std::move(what),
                     .where = std::move(place),
                     .expected = std::move(expected),
                     .found = std::move(found),
                     .hint = {}});
}

/// Adds the prompt of a line.
void parse_prompt(std::string_view line, std::size_t number, std::string place, Prompts& prompts) {
  PromptHandler handler;
  Json::sax_parse(line, &handler);
  if (!handler.error.empty()) {
    throw bad_line("the line is not valid JSON", std::move(place), kExample, handler.error);
  }
  if (handler.top != "an object") {
    throw bad_line("the line is not a JSON object", std::move(place), kExample, handler.top);
  }
  if (!handler.content.is_string() || handler.content.text.empty()) {
    const bool empty = handler.content.is_string();
    throw bad_line("the prompt has no content", std::move(place), "\"content\": a string that is not empty",
                   empty ? "an empty string" : handler.content.type);
  }
  if (!handler.label.is_string() && !handler.label.is_absent()) {
    throw bad_line("the prompt's label is not a string", std::move(place), "\"label\": a string, or no label",
                   handler.label.type);
  }
  prompts.add(handler.content.text, handler.label.text, number);
}

void require_utf8(std::string_view line, const std::string& place) {
  const std::size_t at = find_invalid_utf8(line);
  if (at == std::string_view::npos) return;
  throw bad_line("the line is not valid UTF-8", place, "text in UTF-8",
                 fmt::format("byte 0x{:02X} at byte {} of the line",
                             static_cast<unsigned>(static_cast<unsigned char>(line[at])), at + 1));
}

/// What no prompt is, and what the JSON library lets through: it takes a NUL for the end of the line.
void require_plain_line(std::string_view line, const std::string& place) {
  if (line.size() > kLongestPromptLine) {
    throw bad_line("the line is too long", place, fmt::format("at most {} bytes", kLongestPromptLine),
                   "more");
  }
  require_utf8(line, place);
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
    throw bad_line("the line is not valid JSON", place, kExample,
                   fmt::format("a NUL byte at byte {} of the line", nul + 1));
  }
}

void require_regular_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return;
  throw InputError({.what = "is not a file of prompts",
                    .where = path.string(),
                    .expected = "a regular .jsonl file, or a folder that holds such files",
                    .found = error ? error.message() : "something else under this name",
                    .hint = {}});
}

/// A folder's own *.jsonl files in byte order of their names. As for a shell's pattern, hidden
/// files (an editor's, or the "._x.jsonl" that macOS leaves on foreign disks) do not belong to
/// them.
std::vector<fs::path> list_prompt_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() != ".jsonl" || path.filename().native().front() == '.') continue;
    require_regular_file(path);
    files.push_back(path);
  }
  if (error) {
    throw InputError({.what = "cannot list the folder",
                      .where = folder.string(),
                      .expected = {},
                      .found = error.message(),
                      .hint = "check the path and its permissions"});
  }
  if (files.empty()) {
    throw InputError({.what = "the folder holds no prompts",
                      .where = folder.string(),
                      .expected = "at least one file *.jsonl",
                      .found = {},
                      .hint = "choose the prompts with --prompts-path"});
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return a.filename().native() < b.filename().native();
  });
  return files;
}

/// The next line without its end. Of a longer one than a prompt may have only so much is read as shows it.
bool read_line(std::istream& in, std::string& line) {
  using Traits = std::istream::traits_type;
  line.clear();
  std::streambuf& bytes = *in.rdbuf();
  for (int byte = bytes.sbumpc(); byte != Traits::eof(); byte = bytes.sbumpc()) {
    if (byte == '\n') return true;
    line += Traits::to_char_type(byte);
    if (line.size() > kLongestPromptLine) return true;
  }
  return !line.empty();
}

void append_file(const fs::path& path, Prompts& prompts) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw InputError({.what = "cannot open",
                      .where = path.string(),
                      .expected = {},
                      .found = std::generic_category().message(errno),
                      .hint = "check the path and its permissions"});
  }
  append_prompts(in, path.string(), prompts);
}

}  // namespace

void append_prompts(std::istream& in, const std::string& file, Prompts& prompts) {
  prompts.begin_file(file);
  std::string line;
  for (std::size_t number = 1; read_line(in, line); ++number) {
    if (number == 1 && line.starts_with(kBom)) line.erase(0, kBom.size());
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string place = fmt::format("{}:{}", file, number);
    require_plain_line(line, place);
    parse_prompt(line, number, std::move(place), prompts);
  }
}

Prompts read_prompts(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError({.what = "there are no prompts at this path",
                      .where = path.string(),
                      .expected = "a .jsonl file, or a folder that holds such files",
                      .found = "no file and no folder",
                      .hint = "choose the prompts with --prompts-path"});
  }
  Prompts prompts;
  if (fs::is_directory(status)) {
    for (const fs::path& file : list_prompt_files(path)) {
      append_file(file, prompts);
    }
  } else {
    require_regular_file(path);
    append_file(path, prompts);
  }
  if (prompts.empty()) {
    throw InputError({.what = "there is no prompt in it",
                      .where = path.string(),
                      .expected = fmt::format("lines, each {}", kExample),
                      .found = "blank lines or nothing",
                      .hint = {}});
  }
  return prompts;
}

}  // namespace saescope
