#pragma once

#include <array>

#include "model/architectures/architecture.h"
#include "model/model_config.h"

namespace saescope {

/// The tensors of a block with norms before attention and MLP, and a gated MLP.
inline constexpr auto kGatedBlockTensors = [] {
  using enum TensorSpec::Kind;
  using enum BlockWeight;
  using enum Extent;
  return std::to_array<TensorSpec>({
      {kAttentionNorm, kVector, "input_layernorm", "attn_norm", kHidden},
      {kQuery, kMatrix, "self_attn.q_proj", "attn_q", kQueries},
      {kKey, kMatrix, "self_attn.k_proj", "attn_k", kKeys},
      {kValue, kMatrix, "self_attn.v_proj", "attn_v", kKeys},
      {kOutput, kMatrix, "self_attn.o_proj", "attn_output", kHidden, kQueries},
      {kQuery, kBias, "self_attn.q_proj", "attn_q", kQueries, kHidden, &ModelConfig::qkv_bias},
      {kKey, kBias, "self_attn.k_proj", "attn_k", kKeys, kHidden, &ModelConfig::qkv_bias},
      {kValue, kBias, "self_attn.v_proj", "attn_v", kKeys, kHidden, &ModelConfig::qkv_bias},
      {kOutput, kBias, "self_attn.o_proj", "attn_output", kHidden, kHidden, &ModelConfig::output_bias},
      {kMlpNorm, kVector, "post_attention_layernorm", "ffn_norm", kHidden},
      {kGate, kMatrix, "mlp.gate_proj", "ffn_gate", kIntermediate},
      {kUp, kMatrix, "mlp.up_proj", "ffn_up", kIntermediate},
      {kDown, kMatrix, "mlp.down_proj", "ffn_down", kHidden, kIntermediate},
      {kGate, kBias, "mlp.gate_proj", "ffn_gate", kIntermediate, kHidden, &ModelConfig::mlp_bias},
      {kUp, kBias, "mlp.up_proj", "ffn_up", kIntermediate, kHidden, &ModelConfig::mlp_bias},
      {kDown, kBias, "mlp.down_proj", "ffn_down", kHidden, kHidden, &ModelConfig::mlp_bias},
  });
}();

}  // namespace saescope
