#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// What a `tokenizer_config.json` says to a chat template.
struct TokenizerConfig {
  /// `bos_token`, `eos_token` and their kind, those that the tokenizer has: variables of the template.
  nlohmann::ordered_json special_tokens = nlohmann::ordered_json::object();
  /// The template itself, where the file holds it; newer repositories keep it in a file of its own.
  std::optional<std::string> chat_template;
};

/// @param where the file's name, for messages
/// @throws InputError where the text is not a JSON object, or its chat template is no text.
TokenizerConfig parse_tokenizer_config(std::string_view json, const std::string& where);

}  // namespace saescope
