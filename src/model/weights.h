#pragma once

#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "model/model_config.h"

namespace saescope {

/// The weights of one transformer block. Matrices are views into mapped files, [out, in]; vectors are
/// small and were converted to float32. Biases are empty where the model has none.
struct LayerWeights {
  std::vector<float> attention_norm;  // [hidden]
  TensorView q;                       // [heads · head_dim, hidden]
  TensorView k;                       // [kv_heads · head_dim, hidden]
  TensorView v;                       // [kv_heads · head_dim, hidden]
  TensorView o;                       // [hidden, heads · head_dim]
  std::vector<float> q_bias, k_bias, v_bias, o_bias;
  std::vector<float> mlp_norm;  // [hidden]
  TensorView gate;              // [intermediate, hidden]
  TensorView up;                // [intermediate, hidden]
  TensorView down;              // [hidden, intermediate]
  std::vector<float> gate_bias, up_bias, down_bias;
};

struct ModelWeights {
  TensorView embedding;              // [vocabulary, hidden]
  std::vector<LayerWeights> layers;  // the first ones, as many as were asked for
};

/// How a checkpoint names its tensors.
enum class TensorNaming { kHuggingFace, kGguf };

/// Binds the embedding and the first `layer_count` blocks: every tensor must be there with the shape that
/// the configuration says. @throws InputError that lists everything missing or misshapen.
ModelWeights bind_weights(const NamedTensors& tensors, const ModelConfig& config, std::size_t layer_count,
                          TensorNaming naming, const std::string& where);

/// Names of the tensors that bind_weights will look for; the hub downloads only the shards that hold them.
std::vector<std::string> needed_tensor_names(const ModelConfig& config, std::size_t layer_count,
                                             TensorNaming naming);

}  // namespace saescope
