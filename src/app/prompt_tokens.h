#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/tokenizer.h"

namespace saescope {

/// A prompt of a run, ready for a model.
struct PromptTokens {
  std::size_t prompt_idx = 0;
  std::vector<TokenId> ids;
  std::vector<int32_t> taps;  ///< index into ids for each token type of the run
};

}  // namespace saescope
