#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace saescope {

/// A marker of a chat template that a tokenizer cuts.
struct SplitMarker {
  std::string text;
  std::size_t tokens = 0;  ///< into how many
};

/// Markers such as `<|im_start|>`, `<end_of_turn>` and `[/INST]` in a rendered prompt that are likely meant
/// as one token each and are several. Not all markers are: Llama 2's `[INST]`, and `<|user|>` of models that
/// were trained with it as plain text, are several in their own tokenizers. So there must be a sign of it:
/// the vocabulary or a marker that belongs to it has the token, or nobody writes such text plainly.
std::vector<SplitMarker> split_markers(const std::string& prompt, const Tokenizer& tokenizer);

}  // namespace saescope
