#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ops/backend.h"

namespace saescope {

struct ModelConfig;

/// The weights of a transformer block, in the order in which a checkpoint's tensors are checked.
enum class BlockWeight : uint8_t {
  kAttentionNorm,
  kQuery,
  kKey,
  kValue,
  kQueryNorm,  ///< of every head's queries, before RoPE
  kKeyNorm,
  kOutput,
  kAttentionOutputNorm,  ///< of the attention's output, before it is added to the residual stream
  kMlpNorm,
  kGate,
  kUp,
  kDown,
  kMlpOutputNorm
};
inline constexpr std::size_t kBlockWeights = 13;

/// How long a side of a tensor is.
enum class Extent : uint8_t { kHidden, kQueries, kKeys, kIntermediate, kHead };

/// Whether the projections of one kind have biases.
enum class BiasRule : uint8_t {
  kNever,
  kAlways,
  kConfigured,  ///< where config.json says so
};

/// Which layers attend to the last tokens alone, where config.json has a `sliding_window`.
enum class WindowRule : uint8_t {
  kNever,
  kEveryLayer,
  kFromMaxWindowLayers,  ///< with `use_sliding_window`, the layers from `max_window_layers` on
  kPattern,              ///< all but every n-th layer, n being the design's `window_pattern`
};

/// What one tensor of a block is.
struct TensorSpec {
  enum class Kind : uint8_t { kVector, kMatrix, kBias };

  BlockWeight weight;
  Kind kind;
  std::string_view hugging_face;  ///< between "model.layers.{n}." and ".weight" or ".bias"
  std::string_view gguf;          ///< between "blk.{n}." and ".weight" or ".bias"
  Extent outputs;
  Extent inputs = Extent::kHidden;      ///< of a matrix
  bool ModelConfig::*exists = nullptr;  ///< null: in every model of the architecture
};

/// What the forward pass of a block does, where architectures differ.
struct BlockDesign {
  BiasRule qkv_bias = BiasRule::kNever;     ///< config.json: `attention_bias`
  BiasRule output_bias = BiasRule::kNever;  ///< `attention_bias`
  BiasRule mlp_bias = BiasRule::kNever;     ///< `mlp_bias`
  /// Converters to GGUF reorder the rows of queries and keys of some architectures.
  RopeLayout gguf_rope = RopeLayout::kHalves;
  WindowRule window = WindowRule::kNever;
  std::size_t window_pattern = 0;  ///< config.json may have a `sliding_window_pattern` of its own
  std::size_t gguf_window = 0;     ///< of a GGUF file that does not say; 0: none
  GateFunction gate = GateFunction::kSilu;
  /// Hugging Face checkpoints store a norm's factors less this; GGUF files the factors themselves.
  float norm_offset = 0;
  bool scaled_embedding = false;  ///< embeddings are multiplied by √hidden_size
  bool softcap = false;           ///< config.json: `attn_logit_softcapping`
  bool query_scalar =
      false;  ///< config.json: scores are scaled by `query_pre_attn_scalar`^-½, not head_dim^-½
  /// GGUF files lack that number. As in llama.cpp, a model of so many layers takes hidden_size / heads for
  /// it, any other head_dim.
  std::size_t wide_queries_layers = 0;
  bool local_rope = false;  ///< layers with a window have RoPE frequencies of their own
};

/// A family of models, as data.
struct Architecture {
  std::string_view name;  ///< `model_type` of config.json, `general.architecture` of GGUF
  BlockDesign block;
  std::span<const TensorSpec> tensors;  ///< of a block
  /// What config.json may leave out, as its class in transformers fills it in: a JSON object.
  std::string_view defaults = "{}";
  bool has_text_config = false;  ///< config.json is that of a wrapper, which has the language model's within

  bool has(BlockWeight weight) const {
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](const TensorSpec& spec) { return spec.weight == weight; });
  }
};

/// The architecture of this name, or null.
const Architecture* find_architecture(std::string_view name);

/// "gemma2, llama or qwen2".
std::string architecture_names();

}  // namespace saescope
