#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/gguf.h"
#include "model/architectures/architecture.h"
#include "ops/backend.h"

namespace saescope {

/// The numbers of a transformer that the forward pass needs. Models differ in these and in their
/// architecture's design, not in code.
struct ModelConfig {
  const Architecture* architecture = nullptr;
  std::size_t hidden_size = 0;
  std::size_t intermediate_size = 0;
  std::size_t layers = 0;
  std::size_t vocabulary = 0;
  std::size_t context_length = 0;  ///< longest sequence the model was made for
  std::size_t window = 0;          ///< tokens that a sliding window holds, the own one included; 0: none
  std::vector<bool> slides;        ///< [layers] whether a layer has the window; empty where there is none
  float rms_norm_epsilon = 0;
  float embedding_scale = 1;  ///< multiplied to the embeddings
  bool qkv_bias = false;      ///< q, k and v projections have a bias
  bool output_bias = false;   ///< the attention's output projection has a bias
  bool mlp_bias = false;
  AttentionShape attention;  ///< without the window
  RopeFrequencies rope;
  RopeFrequencies local_rope;  ///< of layers with a window; no frequencies: the same as of the others

  bool has_window(std::size_t layer) const { return layer < slides.size() && slides[layer]; }
  AttentionShape attention_of(std::size_t layer) const;
  const RopeFrequencies& rope_of(std::size_t layer) const {
    return has_window(layer) && !local_rope.inverse.empty() ? local_rope : rope;
  }
};

/// What to do about weights in a form that is not read.
inline constexpr const char* kReadableWeights = "use the model in bfloat16, or quantised as GGUF";

/// The refusal of a checkpoint whose weights are quantised in another way.
/// @param how such as "with the method fp8" @param where what says so @param found what it says
InputError quantised_weights(std::string_view how, std::string where, std::string found);

/// Reads `config.json` of a Hugging Face checkpoint (transformers' LlamaConfig, Qwen2Config, Gemma3Config and
/// so on; both the `rope_scaling` of transformers 4 and the `rope_parameters` of 5).
/// @throws InputError on a missing or impossible value, or a feature that is not implemented: what the
///         checkpoint is, where it is none of a plain causal language model in floating point.
ModelConfig model_config_from_json(const nlohmann::json& json, const std::string& where);

/// Everything that the numbers of a model depend on besides its weights, as a text: equal texts, equal
/// numbers.
std::string fingerprint(const ModelConfig& config);

/// Reads the metadata of a GGUF file (and its `rope_freqs.weight` tensor). @throws InputError
ModelConfig model_config_from_gguf(const GgufFile& file);

}  // namespace saescope
