#pragma once

#include "model/architectures/gated_block.h"

namespace saescope {

/// Mistral 7B and Nemo (transformers' MistralForCausalLM): Llama without biases, with a sliding window where
/// the configuration says so. Converters to GGUF call it llama.
inline constexpr Architecture kMistral = {
    .name = "mistral",
    .block = {.gguf_rope = RopeLayout::kInterleaved, .window = WindowRule::kEveryLayer},
    .tensors = kGatedBlockTensors,
};

}  // namespace saescope
