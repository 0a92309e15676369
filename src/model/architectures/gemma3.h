#pragma once

#include "model/architectures/gemma_block.h"

namespace saescope {

inline constexpr auto kGemma3Tensors =
    join_tensors(kAttentionTensors, kHeadNormTensors, kGemmaNormTensors, kMlpTensors);

inline constexpr BlockDesign kGemma3Block = {.qkv_bias = BiasRule::kConfigured,
                                             .output_bias = BiasRule::kConfigured,
                                             .window = WindowRule::kPattern,
                                             .window_pattern = 6,
                                             .gate = GateFunction::kGeluTanh,
                                             .norm_offset = 1,
                                             .scaled_embedding = true,
                                             .query_scalar = true,
                                             .wide_queries_layers = 62,
                                             .local_rope = true};

/// Gemma3TextConfig's.
inline constexpr std::string_view kGemma3Defaults =
    R"({"vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
        "max_position_embeddings": 131072, "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0})";

/// Gemma 3's text models (transformers' Gemma3ForCausalLM): as Gemma 2 without caps, with norms of queries
/// and keys; five layers of six have a window, and RoPE of their own.
inline constexpr Architecture kGemma3Text = {
    .name = "gemma3_text", .block = kGemma3Block, .tensors = kGemma3Tensors, .defaults = kGemma3Defaults};

/// Gemma 3 with vision (transformers' Gemma3ForConditionalGeneration), of which the language model is run;
/// and every Gemma 3 in GGUF.
inline constexpr Architecture kGemma3 = {.name = "gemma3",
                                         .block = kGemma3Block,
                                         .tensors = kGemma3Tensors,
                                         .defaults = kGemma3Defaults,
                                         .has_text_config = true};

}  // namespace saescope
