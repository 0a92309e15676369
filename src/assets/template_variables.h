#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "assets/chat_formatter.h"
#include "base/error.h"
#include "base/progress.h"
#include "plan/model_entry.h"

namespace saescope {

/// The text of a chat template and where it stands, for messages.
struct TemplateSource {
  std::string text;
  std::string where;
};

/// The template that an entry sets in place of the model's own. @throws InputError where its file cannot be
/// read
std::optional<TemplateSource> entry_template(const ModelEntry& entry);

/// Puts a formatter together and looks at what it makes of a prompt: a variable for a token that the
/// tokenizer does not have, and markers that are no tokens, are warned of.
/// @param special_tokens `bos_token` and its kind; the entry's `template_vars` count before them
/// @throws InputError where the template cannot be read or rendered
ChatFormatter make_formatter(Tokenizer tokenizer, const TemplateSource& source,
                             const nlohmann::ordered_json& special_tokens, const ModelEntry& entry,
                             Progress& progress);

/// @param where the model's file or folder
InputError no_chat_template(const std::string& where);

}  // namespace saescope
