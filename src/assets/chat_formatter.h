#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/prompts.h"
#include "plan/token_type.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace saescope {

/// A prompt as the model sees it.
struct FormattedPrompt {
  std::string text;  ///< the rendered chat template
  /// What stands behind the user's turn: its end that add_generation_prompt adds; of a template that writes
  /// it always, or in another branch, everything behind the last message's text.
  std::string generation;
  bool whole_end = false;  ///< the latter
  std::vector<TokenId> ids;
};

/// Turns a user's prompt into token ids with a model's own template and tokenizer, and finds the
/// positions at which token types are read.
class ChatFormatter {
 public:
  /// @param variables what the template sees besides the messages: bos_token, eos_token, …
  ChatFormatter(Tokenizer tokenizer, ChatTemplate chat_template, nlohmann::ordered_json variables,
                std::string model_name);

  FormattedPrompt format(std::string_view prompt) const;
  /// A user's turn, or a conversation as it is.
  FormattedPrompt format(const Prompt& prompt) const;

  /// Index into ids of the token at which a token type is read.
  /// @throws InputError that lists the prompt's last tokens where the type's text does not occur exactly
  ///         once in the generation prompt or does not end where a token ends.
  std::size_t find_token(const TokenType& type, const FormattedPrompt& prompt) const;

  const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  FormattedPrompt format_messages(const nlohmann::ordered_json& messages) const;
  /// The token behind which so many bytes of the text follow, if one ends there.
  std::optional<std::size_t> token_before(std::size_t behind, const FormattedPrompt& prompt) const;
  std::string render(const nlohmann::ordered_json& messages, bool add_generation_prompt) const;

  Tokenizer tokenizer_;
  ChatTemplate chat_template_;
  nlohmann::ordered_json variables_;
  std::string model_name_;
};

}  // namespace saescope
