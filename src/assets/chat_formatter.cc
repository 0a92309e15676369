#include "assets/chat_formatter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace saescope {
namespace {

/// The last tokens of a prompt, from the end: "-1 "\n" (198), -2 "assistant" (77091), …".
std::string list_last_tokens(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  constexpr std::size_t kShown = 12;
  std::string list;
  for (std::size_t i = 1; i <= std::min(kShown, ids.size()); ++i) {
    const TokenId id = ids[ids.size() - i];
    const std::string text = nlohmann::json(tokenizer.token_bytes(id))
                                 .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    list += fmt::format("{}-{} {} ({})", i == 1 ? "" : ", ", i, text, id);
  }
  return list;
}

std::size_t count_occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

ChatFormatter::ChatFormatter(Tokenizer tokenizer, ChatTemplate chat_template,
                             nlohmann::ordered_json variables, std::string model_name)
    : tokenizer_(std::move(tokenizer)),
      chat_template_(std::move(chat_template)),
      variables_(std::move(variables)),
      model_name_(std::move(model_name)) {}

std::string ChatFormatter::render(std::string_view prompt, bool add_generation_prompt) const {
  nlohmann::ordered_json context = variables_;
  context["messages"] = {{{"role", "user"}, {"content", prompt}}};
  context["add_generation_prompt"] = add_generation_prompt;
  return chat_template_.render(context);
}

FormattedPrompt ChatFormatter::format(std::string_view prompt) const {
  FormattedPrompt formatted;
  formatted.text = render(prompt, true);
  formatted.ids = tokenizer_.encode(formatted.text);
  const std::string without = render(prompt, false);
  if (formatted.text.starts_with(without)) formatted.generation = formatted.text.substr(without.size());
  return formatted;
}

const std::string& ChatFormatter::require_generation(const FormattedPrompt& prompt) const {
  if (!prompt.generation.empty()) return prompt.generation;
  throw InputError({.what = "the chat template adds no generation prompt behind the user's turn",
                    .where = "model " + model_name_,
                    .expected = "text at the end that add_generation_prompt alone adds",
                    .hint = "name the token types by their index from the end, as in `asst = -2`"});
}

std::size_t ChatFormatter::find_token(const TokenType& type, const FormattedPrompt& prompt) const {
  const auto fail = [&](std::string what, std::string expected) {
    return InputError({.what = fmt::format("token type `{}`: {}", type.name, std::move(what)),
                       .where = "model " + model_name_,
                       .expected = std::move(expected),
                       .found = "the prompt's last tokens are " + list_last_tokens(tokenizer_, prompt.ids),
                       .hint = "correct `tokens` of this model in the configuration"});
  };
  if (const auto* from_end = std::get_if<int64_t>(&type.place)) {
    if (*from_end >= 0 || static_cast<uint64_t>(-*from_end) > prompt.ids.size()) {
      throw fail(fmt::format("there is no token {}", *from_end),
                 "an index from the end: -1 is the last token");
    }
    return prompt.ids.size() - static_cast<std::size_t>(-*from_end);
  }
  const std::string& text = std::get<std::string>(type.place);
  const std::string& generation = require_generation(prompt);
  const std::string quoted = nlohmann::json(text).dump();
  const std::size_t occurrences = count_occurrences(generation, text);
  if (occurrences != 1) {
    throw fail(fmt::format("the generation prompt {} holds {} {} times", nlohmann::json(generation).dump(),
                           quoted, occurrences),
               "exactly once");
  }
  // Counted from the end: a normaliser may have changed the length of the user's text, not of the template's.
  const std::size_t behind = generation.size() - generation.find(text) - text.size();
  std::size_t length = 0;
  for (std::size_t i = prompt.ids.size(); i > 0 && length <= behind; --i) {
    if (length == behind) return i - 1;
    length += tokenizer_.token_bytes(prompt.ids[i - 1]).size();
  }
  throw fail(fmt::format("{} does not end where a token ends", quoted), "a text whose end is a token's end");
}

}  // namespace saescope
