#pragma once

#include "model/architectures/gated_block.h"

namespace saescope {

/// Qwen2 and Qwen2.5 (transformers' Qwen2ForCausalLM): Llama with biases of queries, keys and values.
inline constexpr Architecture kQwen2 = {
    .name = "qwen2",
    .block = {.qkv_bias = BiasRule::kAlways, .window = WindowRule::kFromMaxWindowLayers},
    .tensors = kGatedBlockTensors,
};

}  // namespace saescope
