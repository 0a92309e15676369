#include "assets/template_variables.h"

#include <fmt/format.h>

#include <utility>

#include "assets/template_markers.h"
#include "base/atomic_file.h"
#include "base/json_text.h"

namespace saescope {
namespace {

using Json = nlohmann::ordered_json;

/// What a template sees besides the messages: no tools and documents, the special tokens, and on top what the
/// entry sets.
Json template_variables(const Json& special_tokens, const ModelEntry& entry) {
  Json variables = {{"tools", nullptr}, {"documents", nullptr}};
  for (const auto& [name, value] : special_tokens.items()) variables[name] = value;
  for (const auto& [name, value] : entry.template_vars.items()) variables[name] = value;
  return variables;
}

/// A template that prints a beginning of the text which the tokenizer does not name begins without one, here
/// as in transformers: often a file was forgotten.
void warn_of_missing_bos(const TemplateSource& source, const Json& variables, const ModelEntry& entry,
                         Progress& progress) {
  constexpr const char* kBos = "bos_token";
  const auto bos = variables.find(kBos);
  const bool empty =
      bos == variables.end() || !bos->is_string() || bos->get_ref<const std::string&>().empty();
  if (!empty || source.text.find(kBos) == std::string::npos) return;
  progress.warn(
      fmt::format("model {}: the chat template prints `bos_token`, which no file of the tokenizer sets: "
                  "prompts begin without it; `template_vars` can set it",
                  entry.name));
}

void warn_of_split_markers(const ChatFormatter& formatter, const ModelEntry& entry, Progress& progress) {
  for (const SplitMarker& marker : split_markers(formatter.format("Hi").text, formatter.tokenizer())) {
    progress.warn(
        fmt::format("model {}: the chat template's marker {} is {} tokens of this tokenizer, not one: its "
                    "files may lack added tokens",
                    entry.name, shown_text(marker.text), marker.tokens));
  }
}

}  // namespace

std::optional<TemplateSource> entry_template(const ModelEntry& entry) {
  if (entry.chat_template.empty()) return std::nullopt;
  const std::string key = fmt::format("models.{}.chat_template", entry.name);
  if (!entry.chat_template_is_path) return TemplateSource{entry.chat_template, key};
  return TemplateSource{read_file(entry.chat_template), entry.chat_template};
}

ChatFormatter make_formatter(Tokenizer tokenizer, const TemplateSource& source, const Json& special_tokens,
                             const ModelEntry& entry, Progress& progress) {
  Json variables = template_variables(special_tokens, entry);
  if (!tokenizer.remark().empty()) {
    progress.warn(fmt::format("model {}: {}", entry.name, tokenizer.remark()));
  }
  warn_of_missing_bos(source, variables, entry, progress);
  ChatFormatter formatter(std::move(tokenizer), ChatTemplate(source.text, source.where), std::move(variables),
                          entry.name);
  warn_of_split_markers(formatter, entry, progress);
  return formatter;
}

InputError no_chat_template(const std::string& where) {
  return InputError(
      {.what = "the model has no chat template",
       .where = where,
       .expected = "chat_template.jinja, or `chat_template` in tokenizer_config.json or the GGUF metadata",
       .found = "none of these",
       .hint =
           "use the instruct version of the model, or set `chat_template` (a text or a file) in its entry"});
}

}  // namespace saescope
