#pragma once

#include "base/share.h"
#include "engine/prompt_tokens.h"

namespace saescope {

/// The prompts that a task puts through the model. Each distinct one belongs to one task: copies need no work
/// of their own. Tasks get consecutive prompts, of nearly equally many tokens that the ones before them do
/// not share: these are what is computed, whatever a prompt's length.
TokenizedPrompts share_of_prompts(const TokenizedPrompts& prompts, Share task);

}  // namespace saescope
