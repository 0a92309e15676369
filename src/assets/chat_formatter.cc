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

std::string ChatFormatter::render(const nlohmann::ordered_json& messages, bool add_generation_prompt) const {
  nlohmann::ordered_json context = variables_;
  context["messages"] = messages;
  context["add_generation_prompt"] = add_generation_prompt;
  return chat_template_.render(context);
}

FormattedPrompt ChatFormatter::format(std::string_view prompt) const {
  return format_messages({{{"role", "user"}, {"content", prompt}}});
}

FormattedPrompt ChatFormatter::format(const Prompt& prompt) const {
  if (!prompt.conversation) return format(prompt.content);
  return format_messages(nlohmann::ordered_json::parse(prompt.content));
}

FormattedPrompt ChatFormatter::format_messages(const nlohmann::ordered_json& messages) const {
  FormattedPrompt formatted;
  formatted.text = render(messages, true);
  formatted.ids = tokenizer_.encode(formatted.text);
  const std::string without = render(messages, false);
  if (formatted.text.size() > without.size() && formatted.text.starts_with(without)) {
    formatted.generation = formatted.text.substr(without.size());
    return formatted;
  }
  // A template may trim or change the last message's text, so one character stands for it that no filter
  // changes: of the private use area, without an upper case, and alone, so that it has no first letter or
  // order.
  constexpr std::string_view kMark = "\uE0F1";
  nlohmann::ordered_json marked = messages;
  marked.back()["content"] = kMark;
  const std::string text = render(marked, true);
  const std::size_t mark = text.rfind(kMark);
  if (mark == std::string::npos) return formatted;
  const std::string end = text.substr(mark + kMark.size());
  formatted.whole_end = formatted.text.ends_with(end);
  if (formatted.whole_end) formatted.generation = end;
  return formatted;
}

std::optional<std::size_t> ChatFormatter::token_before(std::size_t behind,
                                                       const FormattedPrompt& prompt) const {
  if (!tokenizer_.tokens_join_to_text()) {
    // Lengths of tokens say nothing then; of those that end here, an empty one is a space that was put in.
    const auto texts = tokenizer_.token_texts(prompt.text);
    const char* const end = prompt.text.data() + prompt.text.size() - behind;
    const auto found = std::find_if(texts.begin(), texts.end(), [&](std::string_view part) {
      return !part.empty() && part.data() + part.size() == end;
    });
    if (found == texts.end()) return std::nullopt;
    return static_cast<std::size_t>(found - texts.begin());
  }
  std::size_t length = 0;
  for (std::size_t i = prompt.ids.size(); i > 0 && length <= behind; --i) {
    if (length == behind) return i - 1;
    length += tokenizer_.token_bytes(prompt.ids[i - 1]).size();
  }
  return std::nullopt;
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
  const std::string& generation = prompt.generation;
  const std::string quoted = nlohmann::json(text).dump();
  const std::size_t occurrences = count_occurrences(generation, text);
  // In a whole end the user's turn is closed before the header begins: the header's text is the last.
  if (occurrences != 1 && !(prompt.whole_end && occurrences > 1)) {
    if (generation.empty()) {
      throw fail(prompt.whole_end ? "the chat template writes nothing behind the user's turn"
                                  : "the chat template does not write the user's text in a way that shows "
                                    "what stands behind it",
                 "a text that it writes there");
    }
    throw fail(fmt::format("the generation prompt {} holds {} {} times", nlohmann::json(generation).dump(),
                           quoted, occurrences),
               "exactly once");
  }
  // Counted from the end: a normaliser may have changed the length of the user's text, not of the template's.
  const std::size_t behind = generation.size() - generation.rfind(text) - text.size();
  if (const auto index = token_before(behind, prompt)) return *index;
  throw fail(fmt::format("{} does not end where a token ends", quoted), "a text whose end is a token's end");
}

}  // namespace saescope
