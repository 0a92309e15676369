#pragma once

#include <array>

#include "model/architectures/architecture.h"
#include "model/model_config.h"

namespace saescope {

/// One table of several.
template <std::size_t... Sizes>
constexpr auto join_tensors(const std::array<TensorSpec, Sizes>&... tables) {
  std::array<TensorSpec, (Sizes + ...)> all{};
  auto place = all.begin();
  ((place = std::copy(tables.begin(), tables.end(), place)), ...);
  return all;
}

/// The attention of a block, with the norm before it.
inline constexpr auto kAttentionTensors = [] {
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
  });
}();

/// Norms of every head's queries and keys.
inline constexpr auto kHeadNormTensors = [] {
  using enum TensorSpec::Kind;
  using enum BlockWeight;
  return std::to_array<TensorSpec>({
      {kQueryNorm, kVector, "self_attn.q_norm", "attn_q_norm", Extent::kHead},
      {kKeyNorm, kVector, "self_attn.k_norm", "attn_k_norm", Extent::kHead},
  });
}();

/// The norm before the MLP.
inline constexpr std::array<TensorSpec, 1> kMlpNormTensor = {
    {{BlockWeight::kMlpNorm, TensorSpec::Kind::kVector, "post_attention_layernorm", "ffn_norm",
      Extent::kHidden}}};

/// A gated MLP.
inline constexpr auto kMlpTensors = [] {
  using enum TensorSpec::Kind;
  using enum BlockWeight;
  using enum Extent;
  return std::to_array<TensorSpec>({
      {kGate, kMatrix, "mlp.gate_proj", "ffn_gate", kIntermediate},
      {kUp, kMatrix, "mlp.up_proj", "ffn_up", kIntermediate},
      {kDown, kMatrix, "mlp.down_proj", "ffn_down", kHidden, kIntermediate},
      {kGate, kBias, "mlp.gate_proj", "ffn_gate", kIntermediate, kHidden, &ModelConfig::mlp_bias},
      {kUp, kBias, "mlp.up_proj", "ffn_up", kIntermediate, kHidden, &ModelConfig::mlp_bias},
      {kDown, kBias, "mlp.down_proj", "ffn_down", kHidden, kHidden, &ModelConfig::mlp_bias},
  });
}();

/// The tensors of a block with norms before attention and MLP, and a gated MLP.
inline constexpr auto kGatedBlockTensors = join_tensors(kAttentionTensors, kMlpNormTensor, kMlpTensors);

}  // namespace saescope
