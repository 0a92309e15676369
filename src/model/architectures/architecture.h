#pragma once

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
  kOutput,
  kMlpNorm,
  kGate,
  kUp,
  kDown
};
inline constexpr std::size_t kBlockWeights = 9;

/// How long a side of a tensor is.
enum class Extent : uint8_t { kHidden, kQueries, kKeys, kIntermediate };

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
};

/// A family of models, as data.
struct Architecture {
  std::string_view name;  ///< `model_type` of config.json, `general.architecture` of GGUF
  BlockDesign block;
  std::span<const TensorSpec> tensors;  ///< of a block
};

/// The architecture of this name, or null.
const Architecture* find_architecture(std::string_view name);

/// "llama or qwen2".
std::string architecture_names();

}  // namespace saescope
