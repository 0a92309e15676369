#pragma once

#include "model/architectures/gemma_block.h"

namespace saescope {

inline constexpr auto kGemma2Tensors = join_tensors(kAttentionTensors, kGemmaNormTensors, kMlpTensors);

/// Gemma 2 (transformers' Gemma2ForCausalLM): four norms with factors 1 + w, capped scores, a window in every
/// other layer.
inline constexpr Architecture kGemma2 = {
    .name = "gemma2",
    .block = {.qkv_bias = BiasRule::kConfigured,
              .output_bias = BiasRule::kConfigured,
              .window = WindowRule::kPattern,
              .window_pattern = 2,
              .gguf_window = 4096,
              .gate = GateFunction::kGeluTanh,
              .norm_offset = 1,
              .scaled_embedding = true,
              .softcap = true,
              .query_scalar = true,
              .wide_queries_layers = 46},
    .tensors = kGemma2Tensors,
    .defaults = R"({"vocab_size": 256000, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
                    "max_position_embeddings": 8192, "query_pre_attn_scalar": 256, "sliding_window": 4096,
                    "attn_logit_softcapping": 50.0})",
};

}  // namespace saescope
