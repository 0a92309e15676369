#include "engine/prepared_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace saescope {
namespace {

std::size_t token_limit(const ModelConfig& config, const PromptLimits& limits) {
  return limits.max_tokens == 0 ? config.context_length
                                : std::min<std::size_t>(config.context_length, limits.max_tokens);
}

/// A prompt's number, and the tokens that it may have.
struct PromptBound {
  std::size_t prompt_idx;
  std::size_t tokens;
  bool skip_long;
};

/// A prompt's ids and taps; no ids where it is too long and may be left out.
PromptTokens tokenize(const ChatFormatter& formatter, const PreparedModel& model, const Prompt& prompt,
                      const PromptBound& bound) {
  const FormattedPrompt formatted = formatter.format(prompt);
  PromptTokens tokens;
  tokens.prompt_idx = bound.prompt_idx;
  if (formatted.ids.size() > bound.tokens) {
    if (bound.skip_long) return tokens;
    throw InputError(
        {.what =
             fmt::format("prompt_idx {} is too long for model {}", bound.prompt_idx, model.plan.entry.name),
         .where = prompt.place(),
         .expected = fmt::format("at most {} tokens, the chat template's included", bound.tokens),
         .found = fmt::format("{} tokens", formatted.ids.size()),
         .hint = "shorten it, or leave such prompts out with --skip-long"});
  }
  const auto bad = std::find_if(formatted.ids.begin(), formatted.ids.end(), [&](TokenId id) {
    return static_cast<std::size_t>(id) >= model.files->config().vocabulary;
  });
  if (bad != formatted.ids.end()) {
    throw InputError({.what = "the tokenizer does not fit the model",
                      .where = model.files->path().string(),
                      .expected = fmt::format("token ids below the vocabulary's size {}",
                                              model.files->config().vocabulary),
                      .found = fmt::format("id {}", *bad)});
  }
  for (const TokenType& type : model.token_types) {
    tokens.taps.push_back(static_cast<int32_t>(formatter.find_token(type, formatted)));
  }
  tokens.ids = formatted.ids;
  return tokens;
}

}  // namespace

PreparedModel prepare_model(const ModelPlan& plan, const RunPlan& run, Hub& hub, const Context& context) {
  PreparedModel model;
  model.plan = plan;
  model.files = ModelFiles::open(plan.entry, hub, *context.progress);
  check_layer_count(model.files->config(), plan.layer_count(), model.files->path().string());
  model.token_types = plan.tokens();
  const auto formatter = std::make_shared<const ChatFormatter>(model.files->formatter());
  const Prompts& prompts = *run.prompts;
  const std::size_t limit = token_limit(model.files->config(), run.limits);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    context.cancel->check();
    const PromptTokens tokens = tokenize(*formatter, model, prompts[i], {i, limit, run.limits.skip_long});
    if (tokens.ids.empty()) {
      ++model.left_out;
      context.progress->warn(
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
  if (run.keep.all_tokens) model.formatter = formatter;
  return model;
}

}  // namespace saescope
