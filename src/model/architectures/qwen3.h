#pragma once

#include "model/architectures/gated_block.h"

namespace saescope {

inline constexpr auto kQwen3Tensors =
    join_tensors(kAttentionTensors, kHeadNormTensors, kMlpNormTensor, kMlpTensors);

/// Qwen3 (transformers' Qwen3ForCausalLM): Llama with norms of every head's queries and keys.
inline constexpr Architecture kQwen3 = {
    .name = "qwen3",
    .block = {.qkv_bias = BiasRule::kConfigured,
              .output_bias = BiasRule::kConfigured,
              .window = WindowRule::kFromMaxWindowLayers},
    .tensors = kQwen3Tensors,
    .defaults = R"({"head_dim": 128})",
};

}  // namespace saescope
