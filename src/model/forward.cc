#include "model/forward.h"

#include <algorithm>
#include <numeric>

#include "tensor/buffer.h"

namespace saescope {
namespace {

std::size_t q_dim(const ModelConfig& c) { return c.attention.heads * c.attention.head_dim; }
std::size_t kv_dim(const ModelConfig& c) { return c.attention.kv_heads * c.attention.head_dim; }

}  // namespace

Forward::Forward(const Model& model, Backend& backend, const Context& context, DType compute,
                 std::size_t chunk_rows)
    : model_(model), backend_(backend), context_(context), compute_(compute), chunk_rows_(chunk_rows) {}

std::size_t Forward::bytes_per_node(const ModelConfig& c, bool all_tapped) {
  const std::size_t residuals = all_tapped ? 3 : 1;  // gathered and downloaded
  return sizeof(float) * (residuals * c.hidden_size + 2 * kv_dim(c));
}

std::size_t Forward::fixed_bytes(const ModelConfig& c, DType compute, std::size_t chunk_rows,
                                 const Backend& backend) {
  const std::size_t gemm_inputs =
      c.hidden_size + q_dim(c) + c.intermediate_size;  // normed_, mixed_, product_
  const std::size_t per_row = layout_of(compute).block_bytes * gemm_inputs + sizeof(float) * q_dim(c);
  return chunk_rows * per_row + backend.workspace_bytes(chunk_rows, c.hidden_size, c.intermediate_size);
}

void Forward::run(const PrefixTree& tree, const Taps& taps, const LayerHook& before_layer,
                  const TapSink& sink) {
  const TreeTopology topology = tree.topology();
  allocate_scratch(std::min(chunk_rows_, tree.size()));
  const std::size_t hidden = model_.config.hidden_size;
  Array residual = backend_.allocate(tree.size(), hidden, DType::kF32);
  Array tapped = backend_.allocate(taps.nodes.size(), hidden, DType::kF32);
  Matrix<float> host(taps.nodes.size(), hidden);
  keys_ = backend_.allocate(tree.size(), kv_dim(model_.config), DType::kF32);
  values_ = backend_.allocate(tree.size(), kv_dim(model_.config), DType::kF32);
  std::vector<int32_t> all_nodes(tree.size());
  std::iota(all_nodes.begin(), all_nodes.end(), 0);

  backend_.embed(model_.weights.embedding, tree.tokens(), residual);
  const std::size_t top = taps.layers.back();
  for (std::size_t layer = 0; layer <= top; ++layer) {
    context_.cancel->check();
    const LayerWeights& w = model_.weights.layers[layer];
    before_layer(layer);
    compute_keys_values(w, residual, topology);
    if (layer < top) {
      run_block(w, residual, all_nodes, topology);
      if (!std::binary_search(taps.layers.begin(), taps.layers.end(), layer)) continue;
      backend_.gather(residual, taps.nodes, tapped);
    } else {
      backend_.gather(residual, taps.nodes, tapped);
      run_block(w, tapped, taps.nodes, topology);
    }
    backend_.download(tapped, host.view());
    sink(layer, host.view());
  }
}

void Forward::allocate_scratch(std::size_t rows) {
  const ModelConfig& c = model_.config;
  normed_ = backend_.allocate(rows, c.hidden_size, compute_);
  query_ = backend_.allocate(rows, q_dim(c), DType::kF32);
  mixed_ = backend_.allocate(rows, q_dim(c), compute_);
  product_ = backend_.allocate(rows, c.intermediate_size, compute_);
}

/// Keys and values of every node, since later nodes look at earlier ones.
void Forward::compute_keys_values(const LayerWeights& w, const Array& residual, const TreeTopology& tree) {
  for (std::size_t first = 0; first < residual.rows(); first += chunk_rows_) {
    const std::size_t rows = std::min(chunk_rows_, residual.rows() - first);
    const Array normed = normed_.row_range(0, rows);
    const Array keys = keys_.row_range(first, rows);
    backend_.rms_norm(residual.row_range(first, rows), w.attention_norm, model_.config.rms_norm_epsilon,
                      normed);
    backend_.linear(normed, w.k, w.k_bias, keys, false);
    backend_.linear(normed, w.v, w.v_bias, values_.row_range(first, rows), false);
    backend_.rope(keys, tree.position.subspan(first, rows), model_.config.rope);
  }
}

/// residual rows (at `nodes`) pass through the block, a chunk at a time.
void Forward::run_block(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes,
                        const TreeTopology& tree) {
  for (std::size_t first = 0; first < nodes.size(); first += chunk_rows_) {
    context_.cancel->check();
    const std::size_t rows = std::min(chunk_rows_, nodes.size() - first);
    const Array chunk = residual.row_range(first, rows);
    add_attention(w, chunk, nodes.subspan(first, rows), tree);
    add_mlp(w, chunk);
  }
}

/// residual += Wo · attention(norm(residual))
void Forward::add_attention(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes,
                            const TreeTopology& tree) {
  const Array normed = normed_.row_range(0, nodes.size());
  const Array query = query_.row_range(0, nodes.size());
  const Array mixed = mixed_.row_range(0, nodes.size());
  std::vector<int32_t> positions(nodes.size());
  std::transform(nodes.begin(), nodes.end(), positions.begin(),
                 [&](int32_t node) { return tree.position[static_cast<std::size_t>(node)]; });
  backend_.rms_norm(residual, w.attention_norm, model_.config.rms_norm_epsilon, normed);
  backend_.linear(normed, w.q, w.q_bias, query, false);
  backend_.rope(query, positions, model_.config.rope);
  backend_.attention(query, keys_, values_, nodes, tree, model_.config.attention, mixed);
  backend_.linear(mixed, w.o, w.o_bias, residual, true);
}

/// residual += Wdown · (silu(Wgate · norm(residual)) ⊙ Wup · norm(residual))
void Forward::add_mlp(const LayerWeights& w, const Array& residual) {
  const Array normed = normed_.row_range(0, residual.rows());
  const Array product = product_.row_range(0, residual.rows());
  backend_.rms_norm(residual, w.mlp_norm, model_.config.rms_norm_epsilon, normed);
  backend_.swiglu(normed, {w.gate, w.gate_bias}, {w.up, w.up_bias}, product);
  backend_.linear(product, w.down, w.down_bias, residual, true);
}

}  // namespace saescope
