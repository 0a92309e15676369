#include "report/prompts_reader.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/error.h"
#include "report/json_lines.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 1> kEndings = {".jsonl"};
constexpr auto kExample = "an object such as {\"content\": \"How do you feel?\", \"label\": \"emotional\"}";

void append_prompt(const JsonLine& line, Prompts& prompts) {
  std::array<JsonField, 2> fields = {{{"content"}, {"label"}}};
  read_json_fields(line, kExample, fields);
  const auto& [content, label] = fields;
  if (!content.is_string() || content.text.empty()) {
    refuse_json_line(line, "the prompt has no content", "\"content\": a string that is not empty",
                     content.is_string() ? "an empty string" : content.type);
  }
  if (!label.is_string() && !label.is_absent()) {
    refuse_json_line(line, "the prompt's label is not a string", "\"label\": a string, or no label",
                     label.type);
  }
  prompts.add(content.text, label.text, line.number);
}

std::vector<fs::path> list_prompt_files(const fs::path& folder) {
  std::vector<fs::path> files = list_files(folder, kEndings);
  if (!files.empty()) return files;
  throw InputError({.what = "the folder holds no prompts",
                    .where = folder.string(),
                    .expected = "at least one file *.jsonl",
                    .found = {},
                    .hint = "choose the prompts with --prompts-path"});
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
  for_each_json_line(in, file, kExample, [&](const JsonLine& line) { append_prompt(line, prompts); });
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
