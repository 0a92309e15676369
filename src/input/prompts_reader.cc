#include "input/prompts_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <istream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "input/gunzip.h"
#include "input/input_files.h"
#include "input/json_lines.h"
#include "input/prompt_object.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using Traits = std::istream::traits_type;

/// Where a file's text begins: behind a byte order mark and white space.
struct Beginning {
  std::optional<char> first;  ///< the first character, which is still to be read; nothing: there is none
  std::size_t line = 1;       ///< on which it stands
};

Beginning read_beginning(std::streambuf& bytes) {
  Beginning beginning;
  for (const char c : kUtf8ByteOrderMark) {
    if (bytes.sgetc() == Traits::to_int_type(c)) bytes.sbumpc();
  }
  for (int byte = bytes.sgetc(); byte != Traits::eof(); byte = bytes.snextc()) {
    const char c = Traits::to_char_type(byte);
    if (c == '\n') ++beginning.line;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    beginning.first = c;
    break;
  }
  return beginning;
}

/// The byte behind the one that comes next; a space where it is not at hand.
char second_byte(std::streambuf& bytes) {
  if (bytes.in_avail() < 2) return ' ';
  const char second = Traits::to_char_type(bytes.snextc());
  bytes.sungetc();
  return second;
}

/// The line that comes next, its end included; of a longer one than a line may be only so much as shows it.
std::string read_head(std::streambuf& bytes) {
  std::string head;
  for (int byte = bytes.sbumpc(); byte != Traits::eof(); byte = bytes.sbumpc()) {
    head += Traits::to_char_type(byte);
    if (head.back() == '\n' || head.size() > kLongestJsonLine) break;
  }
  return head;
}

/// A table, whose first line was read. @throws InputError where it is too large to be read whole
std::string read_table(std::string head, std::streambuf& bytes, const std::string& file) {
  constexpr std::size_t kMost = std::size_t{768} << 20;
  std::vector<char> block(1 << 16);
  for (std::streamsize count = 0;
       (count = bytes.sgetn(block.data(), static_cast<std::streamsize>(block.size()))) > 0;) {
    head.append(block.data(), static_cast<std::size_t>(count));
    if (head.size() <= kMost) continue;
    throw InputError({.what = "the table is too large to be read whole",
                      .where = file,
                      .expected = fmt::format("at most {} bytes", kMost),
                      .hint = "write one JSON object a line"});
  }
  return head;
}

bool is_table(const std::string& file, std::string_view head, const std::string& content_key) {
  for (const std::string_view extension : {".csv", ".tsv", ".csv.gz", ".tsv.gz"}) {
    if (file.ends_with(extension)) return true;
  }
  return head.find(content_key.empty() ? "content" : content_key) != std::string_view::npos;
}

/// Of a folder, the files of prompts.
const InputKind& prompts_kind() {
  static const InputKind kKind = {
      "prompts", {".jsonl", ".jsonl.gz"}, "choose the prompts with --prompts-path", /*streams=*/true};
  return kKind;
}

/// Records of activations lie beside prompts where somebody writes results into the prompts' folder.
bool is_own_output(const fs::path& path) {
  if (path.filename().string().ends_with("_activeprompts.jsonl")) return true;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  constexpr std::size_t kLongestRecord = std::size_t{1}
                                         << 20;  // records of long prompts are longer, and rare
  std::ifstream in(path, std::ios::binary);
  std::string text(kLongestRecord, '\0');
  in.getline(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in) return false;
  text.resize(std::char_traits<char>::length(text.c_str()));
  if (text.find("\"feature_id\"") == std::string::npos) return false;
  std::array<JsonField, 4> fields = {
      {{.name = "feature_id"}, {.name = "activation"}, {.name = "activations"}, {.name = "content"}}};
  try {
    read_json_object({text, 1, path.string(), kPromptExample}, fields);
  } catch (const InputError&) {
    return false;  // reported when it is read
  }
  return !fields[0].is_absent() && (!fields[1].is_absent() || !fields[2].is_absent()) &&
         fields[3].is_absent();
}

}  // namespace

void append_prompts(std::istream& in, const std::string& file, Prompts& prompts, const PromptInput& how) {
  prompts.begin_file(file);
  GunzipBuffer unpacked(*in.rdbuf(), file);
  std::streambuf& bytes = unpacked;
  const auto add = [&](const JsonLine& line) { append_prompt(line, how.content_key, prompts); };
  const Beginning beginning = read_beginning(bytes);
  const JsonOrigin origin = {file, beginning.line, kPromptExample};
  if (!beginning.first) return;
  const char pair[] = {*beginning.first, second_byte(bytes)};
  if (begins_like_utf16({pair, 2})) throw utf16_error(file);
  if (*beginning.first == '[') return for_each_json_element(bytes, origin, add);
  if (*beginning.first != '{') {
    std::string head = read_head(bytes);
    if (is_table(file, head, how.content_key)) {
      return append_prompt_table(read_table(std::move(head), bytes, file), file, how.content_key, prompts);
    }
    std::istringstream line(head);
    for_each_json_line(line, origin, add);  // which says what is wrong with it
  }
  std::istream text(&bytes);
  for_each_json_line(text, origin, add);
}

bool is_prompts_file(const fs::path& path) {
  const std::string name = path.filename().string();
  const auto& extensions = prompts_kind().extensions;
  const bool named = std::any_of(extensions.begin(), extensions.end(),
                                 [&](std::string_view extension) { return name.ends_with(extension); });
  return named && !is_own_output(path);
}

Prompts read_prompts(const fs::path& path, const PromptInput& how) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  Prompts prompts;
  for (const fs::path& file : list_input_files(path, prompts_kind())) {
    if (folder && is_own_output(file)) {
      if (how.progress != nullptr) {
        how.progress->warn(
            fmt::format("{}: records of activations, not prompts; the file is left out", file.string()));
      }
      continue;
    }
    std::ifstream in = open_input_file(file);
    append_prompts(in, file.string(), prompts, how);
  }
  if (prompts.empty()) {
    throw InputError({.what = "there is no prompt in it",
                      .where = path.string(),
                      .expected = fmt::format("lines, each {}", kPromptExample),
                      .found = "blank lines or nothing",
                      .hint = {}});
  }
  return prompts;
}

}  // namespace saescope
