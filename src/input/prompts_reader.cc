#include "input/prompts_reader.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string_view>

#include "base/error.h"
#include "input/input_files.h"
#include "input/json_lines.h"

namespace saescope {
namespace {

constexpr std::string_view kPromptExample =
    "an object such as {\"content\": \"How do you feel?\", \"label\": \"emotional\"}";

/// Adds the prompt of a line.
void append_prompt(const JsonLine& line, Prompts& prompts) {
  std::array<JsonField, 2> fields = {{{.name = "content"}, {.name = "label"}}};
  read_json_object(line, fields);
  const auto& [content, label] = fields;
  if (!content.is_string() || content.text.empty()) {
    throw json_line_error("the prompt has no content", line, "\"content\": a string that is not empty",
                          content.is_string() ? "an empty string" : std::string(content.type));
  }
  if (!label.is_string() && !label.is_absent()) {
    throw json_line_error("the prompt's label is not a string", line, "\"label\": a string, or no label",
                          std::string(label.type));
  }
  prompts.add(content.text, label.text, line.number);
}

}  // namespace

void append_prompts(std::istream& in, const std::string& file, Prompts& prompts) {
  prompts.begin_file(file);
  for_each_json_line(in, file, kPromptExample, [&](const JsonLine& line) { append_prompt(line, prompts); });
}

Prompts read_prompts(const std::filesystem::path& path) {
  const InputKind kind = {"prompts", {".jsonl"}, "choose the prompts with --prompts-path"};
  Prompts prompts;
  for (const std::filesystem::path& file : list_input_files(path, kind)) {
    std::ifstream in = open_input_file(file);
    append_prompts(in, file.string(), prompts);
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
