#pragma once

#include <filesystem>
#include <vector>

#include "analysis/prompts.h"
#include "app/chat_formatter.h"
#include "app/options.h"
#include "app/prompt_tokens.h"
#include "app/selection.h"
#include "base/context.h"
#include "hub/hub.h"
#include "model/model_config.h"

namespace saescope {

/// A model of a run whose prompts are tokenised and whose token types are found: all that is known before
/// weights and SAEs are touched.
struct PreparedModel {
  ModelPlan plan;
  std::filesystem::path path;  ///< .gguf file, or folder with configuration and tokenizer
  ModelConfig config;
  std::vector<TokenType> token_types;
  TokenizedPrompts prompts;  ///< without those left out
  std::size_t left_out = 0;  ///< prompts that were too long (--skip-long)

  std::size_t layer_count() const { return static_cast<std::size_t>(plan.layers.back().layer) + 1; }
};

/// @throws InputError on a prompt that is too long (unless --skip-long), a token type that cannot be found,
///         a layer that the model does not have
PreparedModel prepare_model(const ModelPlan& plan, const Prompts& prompts, const Options& options, Hub& hub,
                            const Context& context);

/// --show-tokens: one JSON line per model and prompt on stdout.
void show_tokens(const std::vector<ModelEntry>& models, const Prompts& prompts, Hub& hub);

}  // namespace saescope
