#include "input/prompt_object.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "base/utf8.h"

namespace saescope {
namespace {

constexpr const char* kContent = "content";
constexpr const char* kMessages = "messages";
constexpr const char* kLabel = "label";

/// Where the prompt is not where it was looked for.
InputError no_content(const JsonLine& line, const std::string& key, const std::vector<std::string>& keys) {
  std::vector<std::string> shown;
  constexpr std::size_t kShown = 12;
  for (std::size_t i = 0; i < std::min(kShown, keys.size()); ++i) shown.push_back(shown_text(keys[i]));
  if (keys.size() > kShown) shown.emplace_back("…");
  const auto likely = std::find_if(keys.begin(), keys.end(), [](const std::string& name) {
    constexpr std::array<std::string_view, 6> kUsual = {"prompt",      "text",  "question",
                                                        "instruction", "input", "user"};
    return std::find(kUsual.begin(), kUsual.end(), name) != kUsual.end();
  });
  ErrorDetail detail =
      json_line_error("the prompt has no content", line,
                      fmt::format("\"{}\": a string that is not empty", key),
                      keys.empty() ? "no keys" : fmt::format("the keys {}", fmt::join(shown, ", ")))
          .detail();
  detail.hint = fmt::format("--content-key names the key that holds the prompts{}",
                            likely == keys.end() ? "" : fmt::format(", such as --content-key {}", *likely));
  return InputError(std::move(detail));
}

/// The `messages` of an object as compact JSON. @throws InputError where they are no conversation
std::string conversation_of(const JsonLine& line) {
  const auto fail = [&](std::string found) {
    return json_line_error("the messages are no conversation", line,
                           "\"messages\": a list of objects with \"role\" and \"content\"", std::move(found));
  };
  const auto object = nlohmann::ordered_json::parse(without_python_constants(line.text), nullptr, false);
  if (object.is_discarded() || !object.contains(kMessages)) throw fail("something else");
  const nlohmann::ordered_json& messages = object[kMessages];
  if (!messages.is_array()) throw fail(messages.type_name());
  if (messages.empty()) throw fail("an empty list");
  for (const nlohmann::ordered_json& message : messages) {
    if (!message.is_object()) throw fail(fmt::format("a message that is {}", message.type_name()));
    const auto role = message.find("role");
    if (role == message.end() || !role->is_string()) throw fail("a message without a role");
    if (!message.contains(kContent)) throw fail("a message without content");
  }
  return messages.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string label_of(const JsonField& label, const JsonLine& line) {
  if (label.is_string() || label.is_number() || label.is_absent()) return label.text;
  if (label.is_null()) return {};
  throw json_line_error("the prompt's label is not a string", line,
                        "\"label\": a string, a number, or no label", std::string(label.type));
}

}  // namespace

void append_prompt(const JsonLine& line, const std::string& content_key, Prompts& prompts) {
  const std::string key = content_key.empty() ? kContent : content_key;
  std::array<JsonField, 3> fields = {{{.name = key}, {.name = kLabel}, {.name = kMessages}}};
  std::vector<std::string> keys;
  read_json_object(line, fields, &keys);
  const auto& [content, label, messages] = fields;
  if (content.is_string() && !content.text.empty()) {
    prompts.add(content.text, label_of(label, line), line.number);
    return;
  }
  const bool converses =
      key == kMessages ? !content.is_absent() : content_key.empty() && !messages.is_absent();
  if (content.is_absent() && converses) {
    prompts.add_conversation(conversation_of(line), label_of(label, line), line.number);
    return;
  }
  if (key == kMessages && converses) {
    prompts.add_conversation(conversation_of(line), label_of(label, line), line.number);
    return;
  }
  if (content.is_absent()) throw no_content(line, key, keys);
  throw json_line_error("the prompt has no content", line,
                        fmt::format("\"{}\": a string that is not empty", key),
                        content.is_string() ? "an empty string" : std::string(content.type));
}

void append_prompt_table(std::string_view text, const std::string& file, const std::string& content_key,
                         Prompts& prompts) {
  const std::string key = content_key.empty() ? kContent : content_key;
  std::optional<std::size_t> content;
  std::optional<std::size_t> label;
  std::size_t width = 0;
  for_each_csv_record(
      text, file,
      [&](const CsvRecord& record) {
        const JsonLine line = {{}, record.line, fmt::format("{}:{}", file, record.line), {}};
        if (width == 0) {
          width = record.fields.size();
          for (std::size_t i = 0; i < width; ++i) {
            if (record.fields[i] == key) content = i;
            if (record.fields[i] == kLabel) label = i;
          }
          if (!content) throw no_content(line, key, record.fields);
          return;
        }
        if (record.fields.size() != width) {
          throw json_line_error("the row has another number of fields than the header", line,
                                fmt::format("{} fields", width),
                                fmt::format("{} fields", record.fields.size()));
        }
        const std::string& prompt = record.fields[*content];
        if (prompt.empty())
          throw json_line_error("the prompt has no content", line, "a text", "an empty field");
        const std::string& name = label ? record.fields[*label] : std::string();
        for (const std::string& field : {prompt, name}) {
          if (find_invalid_utf8(field) == std::string_view::npos) continue;
          throw json_line_error("the row is not valid UTF-8", line, "text in UTF-8", shown_text(field));
        }
        prompts.add(prompt, name, record.line);
      },
      csv_separator(text, key));
}

}  // namespace saescope
