#include "app/prepared_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model_source.h"
#include "base/error.h"

namespace saescope {
namespace {

std::size_t token_limit(const ModelConfig& config, const Options& options) {
  return options.max_tokens == 0 ? config.context_length
                                 : std::min<std::size_t>(config.context_length, options.max_tokens);
}

/// A prompt's ids and taps; no ids where it is too long and may be left out.
PromptTokens tokenize(const ChatFormatter& formatter, const PreparedModel& model, const Prompt& prompt,
                      std::size_t index, std::size_t limit, bool skip_long) {
  const FormattedPrompt formatted = formatter.format(prompt.content);
  PromptTokens tokens;
  tokens.prompt_idx = index;
  if (formatted.ids.size() > limit) {
    if (skip_long) return tokens;
    throw InputError(
        {.what = fmt::format("prompt_idx {} is too long for model {}", index, model.plan.entry.name),
         .where = prompt.place(),
         .expected = fmt::format("at most {} tokens, the chat template's included", limit),
         .found = fmt::format("{} tokens", formatted.ids.size()),
         .hint = "shorten it, or leave such prompts out with --skip-long"});
  }
  const auto bad = std::find_if(formatted.ids.begin(), formatted.ids.end(), [&](TokenId id) {
    return static_cast<std::size_t>(id) >= model.config.vocabulary;
  });
  if (bad != formatted.ids.end()) {
    throw InputError(
        {.what = "the tokenizer does not fit the model",
         .where = model.path.string(),
         .expected = fmt::format("token ids below the vocabulary's size {}", model.config.vocabulary),
         .found = fmt::format("id {}", *bad)});
  }
  for (const TokenType& type : model.token_types) {
    tokens.taps.push_back(static_cast<int32_t>(formatter.find_token(type, formatted)));
  }
  tokens.ids = formatted.ids;
  return tokens;
}

nlohmann::ordered_json tap_json(const ChatFormatter& formatter, const TokenType& type,
                                const FormattedPrompt& formatted) {
  const std::size_t index = formatter.find_token(type, formatted);
  return {{"index", index},
          {"id", formatted.ids[index]},
          {"text", formatter.tokenizer().token_bytes(formatted.ids[index])}};
}

}  // namespace

PreparedModel prepare_model(const ModelPlan& plan, const Prompts& prompts, const Options& options, Hub& hub,
                            const Context& context) {
  PreparedModel model;
  model.plan = plan;
  model.path = locate_model(plan.entry, 0, hub);
  model.config = read_config_of(model.path);
  check_layer_count(model.config, model.layer_count(), model.path.string());
  model.token_types = plan.tokens();
  const ChatFormatter formatter = open_chat_formatter(model.path, plan.entry);
  const std::size_t limit = token_limit(model.config, options);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    context.cancel->check();
    PromptTokens tokens = tokenize(formatter, model, prompts[i], i, limit, options.skip_long);
    if (tokens.ids.empty()) {
      ++model.left_out;
      context.reporter->warn(
          fmt::format("prompt_idx {} ({}) is longer than {} tokens and is left out of model {}", i,
                      prompts[i].place(), limit, plan.entry.name));
      continue;
    }
    model.prompts.add(tokens);
  }
  if (model.prompts.empty()) {
    throw InputError({.what = fmt::format("every prompt is too long for model {}", plan.entry.name),
                      .expected = fmt::format("at least one prompt of at most {} tokens", limit)});
  }
  return model;
}

void show_tokens(const std::vector<ModelEntry>& models, const Prompts& prompts, Hub& hub) {
  for (const ModelEntry& entry : models) {
    const ChatFormatter formatter = open_chat_formatter(locate_model(entry, 0, hub), entry);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const FormattedPrompt formatted = formatter.format(prompts[i].content);
      nlohmann::ordered_json line = {
          {"model", entry.name}, {"prompt_idx", i}, {"text", formatted.text}, {"ids", formatted.ids}};
      line["taps"] = nlohmann::ordered_json::object();
      for (const TokenType& type : entry.tokens) {
        line["taps"][type.name] = tap_json(formatter, type, formatted);
      }
      // A token may hold part of a character; such bytes are shown as U+FFFD.
      fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    }
  }
}

}  // namespace saescope
