#pragma once

#include "model/architectures/gated_block.h"

namespace saescope {

/// The tensors of Gemma's block besides attention and MLP: norms before and behind both. What other families
/// call the norm before the MLP is that of the attention's output here.
inline constexpr auto kGemmaNormTensors = [] {
  using enum TensorSpec::Kind;
  using enum BlockWeight;
  return std::to_array<TensorSpec>({
      {kAttentionOutputNorm, kVector, "post_attention_layernorm", "post_attention_norm", Extent::kHidden},
      {kMlpNorm, kVector, "pre_feedforward_layernorm", "ffn_norm", Extent::kHidden},
      {kMlpOutputNorm, kVector, "post_feedforward_layernorm", "post_ffw_norm", Extent::kHidden},
  });
}();

}  // namespace saescope
