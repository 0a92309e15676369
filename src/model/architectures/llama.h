#pragma once

#include "model/architectures/gated_block.h"

namespace saescope {

/// Llama 2 and 3 and what is built like them (transformers' LlamaForCausalLM).
inline constexpr Architecture kLlama = {
    .name = "llama",
    .block = {.qkv_bias = BiasRule::kConfigured,
              .output_bias = BiasRule::kConfigured,
              .mlp_bias = BiasRule::kConfigured,
              .gguf_rope = RopeLayout::kInterleaved},
    .tensors = kGatedBlockTensors,
};

}  // namespace saescope
