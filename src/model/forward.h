#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/context.h"
#include "model/prefix_tree.h"
#include "model/weights.h"
#include "tensor/buffer.h"

namespace saescope {

/// A model whose weights are bound: what the forward pass reads.
struct Model {
  ModelConfig config;
  ModelWeights weights;
};

/// The residual stream after block `layer` at the tapped nodes.
struct TappedRows {
  std::size_t layer = 0;
  MatrixView<const float> rows = {};  ///< [taps, hidden], in the order of the tapped nodes
};

/// Called before a layer's weights are used.
using LayerHook = std::function<void(std::size_t layer)>;

/// Which layers and nodes of a wave are wanted.
struct Taps {
  std::span<const std::size_t> layers;  ///< ascending, 0-based
  std::span<const int32_t> nodes;       ///< ascending, distinct
};

/// Runs the transformer over waves of tokens, layer by layer: all tokens of a wave pass through a layer
/// before the next one's weights are read, and keys and values live for one layer only. In the last tapped
/// layer only keys and values are computed for every node, the rest for the tapped ones.
class Forward {
 public:
  /// @param compute kF32 or kBF16: what weights and GEMM inputs are rounded to; the residual stream and
  ///        every sum are float32
  /// @param chunk_rows tokens whose scratch (queries, MLP activations) is held at once
  Forward(const Model& model, Backend& backend, const Context& context, DType compute,
          std::size_t chunk_rows);

  /// Starts a wave. @param tree, taps and what they point to must stay until its last tapped layer was given
  void begin(const PrefixTree& tree, const Taps& taps);
  /// Runs up to the next tapped layer. @return nothing behind the last one; rows are valid until the next
  /// call
  std::optional<TappedRows> next(const LayerHook& before_layer);
  /// Gives the wave's memory back, which the next wave would do, too.
  void end() { wave_.reset(); }

  std::size_t hidden_size() const { return model_.config.hidden_size; }

  /// Bytes that a wave takes: per node, and besides that whatever the number of nodes.
  /// @param all_tapped whether every node is tapped, instead of a few
  static std::size_t bytes_per_node(const ModelConfig& config, bool all_tapped);
  static std::size_t fixed_bytes(const ModelConfig& config, DType compute, std::size_t chunk_rows,
                                 const Backend& backend);

 private:
  /// What lives for one wave.
  struct Wave {
    TreeTopology tree;
    Taps taps;
    std::size_t next_layer = 0;
    std::vector<int32_t> all_nodes;
    Array residual;      // [nodes, hidden]
    Array tapped;        // [taps, hidden]
    Matrix<float> host;  // [taps, hidden]
    Array keys;          // [nodes, kv_heads · head_dim] of the layer at work
    Array values;        // [nodes, kv_heads · head_dim]
  };

  /// One block of the transformer.
  struct Block {
    const LayerWeights& weights;
    AttentionShape attention;
    const RopeFrequencies& rope;
  };

  void allocate_scratch(std::size_t rows);
  bool run_layer(const LayerHook& before_layer);
  void norm(const Array& x, std::span<const float> factors, const Array& out, Store store = Store::kReplace);
  void rotate(const Array& x, std::span<const float> factors, std::span<const int32_t> positions,
              const RopeFrequencies& rope);
  void compute_keys_values(const Block& block);
  void add_attention(const Block& block, const Array& residual, std::span<const int32_t> nodes);
  void add_mlp(const LayerWeights& w, const Array& residual);
  void add_projection(const Array& x, const LinearWeight& projection, std::span<const float> output_norm,
                      const Array& residual);
  void run_block(const Block& block, const Array& residual, std::span<const int32_t> nodes);

  const Model& model_;
  Backend& backend_;
  const Context& context_;
  DType compute_;
  std::size_t chunk_rows_;
  std::optional<Wave> wave_;
  Array normed_;   // [chunk, hidden]
  Array query_;    // [chunk, heads · head_dim]
  Array mixed_;    // [chunk, heads · head_dim]: attention's output before the projection
  Array product_;  // [chunk, intermediate]
  Array branch_;   // [chunk, hidden]: what attention or MLP add, where it is normed before
};

}  // namespace saescope
