#pragma once

#include <functional>
#include <span>

#include "base/context.h"
#include "model/prefix_tree.h"
#include "model/weights.h"

namespace saescope {

/// A model whose weights are bound: what the forward pass reads.
struct Model {
  ModelConfig config;
  ModelWeights weights;
};

/// Receives the residual stream after block `layer` at the tapped nodes.
/// @param activations [taps, hidden], rows in the order of the tapped nodes; valid during the call
using TapSink = std::function<void(std::size_t layer, MatrixView<const float> activations)>;

/// Called before a layer's weights are used.
using LayerHook = std::function<void(std::size_t layer)>;

/// Which layers and nodes of a wave are wanted.
struct Taps {
  std::span<const std::size_t> layers;  ///< ascending, 0-based
  std::span<const int32_t> nodes;       ///< ascending, distinct
};

/// Runs the transformer over waves of tokens, layer by layer: all tokens of a wave pass through a layer
/// before the next one's weights are read, and keys and values live for one layer only.
class Forward {
 public:
  /// @param compute kF32 or kBF16: what weights and GEMM inputs are rounded to; the residual stream and
  ///        every sum are float32
  /// @param chunk_rows tokens whose scratch (queries, MLP activations) is held at once
  Forward(const Model& model, Backend& backend, const Context& context, DType compute,
          std::size_t chunk_rows);

  /// Runs up to the last tapped layer. In that layer only keys and values are computed for every node,
  /// the rest for the tapped ones.
  void run(const PrefixTree& tree, const Taps& taps, const LayerHook& before_layer, const TapSink& sink);

  std::size_t hidden_size() const { return model_.config.hidden_size; }

  /// Bytes that `run` holds for a wave: per node, and besides that whatever the number of nodes.
  /// @param all_tapped whether every node is tapped, instead of a few
  static std::size_t bytes_per_node(const ModelConfig& config, bool all_tapped);
  static std::size_t fixed_bytes(const ModelConfig& config, DType compute, std::size_t chunk_rows,
                                 const Backend& backend);

 private:
  void allocate_scratch(std::size_t rows);
  void compute_keys_values(const LayerWeights& w, const Array& residual, const TreeTopology& tree);
  void add_attention(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes,
                     const TreeTopology& tree);
  void add_mlp(const LayerWeights& w, const Array& residual);
  void run_block(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes,
                 const TreeTopology& tree);

  const Model& model_;
  Backend& backend_;
  const Context& context_;
  DType compute_;
  std::size_t chunk_rows_;
  Array keys_;     // [nodes, kv_heads · head_dim] of the layer at work
  Array values_;   // [nodes, kv_heads · head_dim]
  Array normed_;   // [chunk, hidden]
  Array query_;    // [chunk, heads · head_dim]
  Array mixed_;    // [chunk, heads · head_dim]: attention's output before the projection
  Array product_;  // [chunk, intermediate]
};

}  // namespace saescope
