#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "analysis/prompts.h"
#include "assets/model_files.h"
#include "base/context.h"
#include "engine/prompt_tokens.h"
#include "plan/run_plan.h"

namespace saescope {

/// A model of a run whose prompts are tokenised and whose token types are found: all that is known before
/// weights and SAEs are touched.
struct PreparedModel {
  ModelPlan plan;
  std::shared_ptr<ModelFiles> files;
  std::vector<TokenType> token_types;
  TokenizedPrompts prompts;                        ///< without those left out
  std::size_t left_out = 0;                        ///< prompts that were too long
  std::shared_ptr<const ChatFormatter> formatter;  ///< where tokens' texts are wanted later; else null
};

/// @param run its prompts, limits and whether all tokens are wanted
/// @throws InputError on a prompt that is too long (unless such are left out), a token type that cannot be
///         found, a layer that the model does not have
PreparedModel prepare_model(const ModelPlan& plan, const RunPlan& run, Hub& hub, const Context& context);

}  // namespace saescope
