#include "model/forward.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace saescope {
namespace {

std::size_t q_dim(const ModelConfig& c) { return c.attention.heads * c.attention.head_dim; }
std::size_t kv_dim(const ModelConfig& c) { return c.attention.kv_heads * c.attention.head_dim; }

struct ScratchShape {
  std::size_t cols;
  DType dtype;
};

/// Of normed_, query_, mixed_ and product_.
std::array<ScratchShape, 4> scratch_shapes(const ModelConfig& c, DType compute) {
  return {{{c.hidden_size, compute},
           {q_dim(c), DType::kF32},
           {q_dim(c), compute},
           {c.intermediate_size, compute}}};
}

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
  std::size_t per_row = 0;
  for (const ScratchShape& shape : scratch_shapes(c, compute)) {
    per_row += shape.cols * layout_of(shape.dtype).block_bytes;
  }
  return chunk_rows * per_row + backend.workspace_bytes(chunk_rows, c.hidden_size, c.intermediate_size);
}

void Forward::allocate_scratch(std::size_t rows) {
  const std::array shapes = scratch_shapes(model_.config, compute_);
  const std::array arrays = {&normed_, &query_, &mixed_, &product_};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    *arrays[i] = backend_.allocate(rows, shapes[i].cols, shapes[i].dtype);
  }
}

void Forward::begin(const PrefixTree& tree, const Taps& taps) {
  end();
  allocate_scratch(std::min(chunk_rows_, tree.size()));
  const std::size_t hidden = hidden_size();
  wave_ = {.tree = tree.topology(),
           .taps = taps,
           .all_nodes = std::vector<int32_t>(tree.size()),
           .residual = backend_.allocate(tree.size(), hidden, DType::kF32),
           .tapped = backend_.allocate(taps.nodes.size(), hidden, DType::kF32),
           .host = Matrix<float>(taps.nodes.size(), hidden),
           .keys = backend_.allocate(tree.size(), kv_dim(model_.config), DType::kF32),
           .values = backend_.allocate(tree.size(), kv_dim(model_.config), DType::kF32)};
  std::iota(wave_->all_nodes.begin(), wave_->all_nodes.end(), 0);
  backend_.embed(model_.weights.embedding, tree.tokens(), wave_->residual);
}

std::optional<TappedRows> Forward::next(const LayerHook& before_layer) {
  while (wave_ && wave_->next_layer <= wave_->taps.layers.back()) {
    const std::size_t layer = wave_->next_layer;
    const bool tapped = run_layer(before_layer);
    ++wave_->next_layer;
    if (!tapped) continue;
    backend_.download(wave_->tapped, wave_->host.view());
    return TappedRows{layer, wave_->host.view()};
  }
  end();
  return std::nullopt;
}

/// @return whether the layer is tapped: the wave's `tapped` then holds its rows
bool Forward::run_layer(const LayerHook& before_layer) {
  context_.cancel->check();
  Wave& wave = *wave_;
  const std::size_t layer = wave.next_layer;
  const LayerWeights& w = model_.weights.layers[layer];
  before_layer(layer);
  compute_keys_values(w);
  if (layer == wave.taps.layers.back()) {
    backend_.gather(wave.residual, wave.taps.nodes, wave.tapped);
    run_block(w, wave.tapped, wave.taps.nodes);
    return true;
  }
  run_block(w, wave.residual, wave.all_nodes);
  if (!std::binary_search(wave.taps.layers.begin(), wave.taps.layers.end(), layer)) return false;
  backend_.gather(wave.residual, wave.taps.nodes, wave.tapped);
  return true;
}

/// Keys and values of every node, since later nodes look at earlier ones.
void Forward::compute_keys_values(const LayerWeights& w) {
  const Array& residual = wave_->residual;
  for (std::size_t first = 0; first < residual.rows(); first += chunk_rows_) {
    const std::size_t rows = std::min(chunk_rows_, residual.rows() - first);
    const Array normed = normed_.row_range(0, rows);
    const Array keys = wave_->keys.row_range(first, rows);
    const Array values = wave_->values.row_range(first, rows);
    backend_.rms_norm(residual.row_range(first, rows), w.norm(BlockWeight::kAttentionNorm),
                      model_.config.rms_norm_epsilon, normed);
    backend_.linear(normed, w.matrix(BlockWeight::kKey), w.bias(BlockWeight::kKey), keys, false);
    backend_.linear(normed, w.matrix(BlockWeight::kValue), w.bias(BlockWeight::kValue), values, false);
    backend_.rope(keys, wave_->tree.position.subspan(first, rows), model_.config.rope);
  }
}

/// residual rows (at `nodes`) pass through the block, a chunk at a time.
void Forward::run_block(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes) {
  for (std::size_t first = 0; first < nodes.size(); first += chunk_rows_) {
    context_.cancel->check();
    const std::size_t rows = std::min(chunk_rows_, nodes.size() - first);
    const Array chunk = residual.row_range(first, rows);
    add_attention(w, chunk, nodes.subspan(first, rows));
    add_mlp(w, chunk);
  }
}

/// residual += Wo · attention(norm(residual))
void Forward::add_attention(const LayerWeights& w, const Array& residual, std::span<const int32_t> nodes) {
  const Array normed = normed_.row_range(0, nodes.size());
  const Array query = query_.row_range(0, nodes.size());
  const Array mixed = mixed_.row_range(0, nodes.size());
  std::vector<int32_t> positions(nodes.size());
  std::transform(nodes.begin(), nodes.end(), positions.begin(),
                 [&](int32_t node) { return wave_->tree.position[static_cast<std::size_t>(node)]; });
  backend_.rms_norm(residual, w.norm(BlockWeight::kAttentionNorm), model_.config.rms_norm_epsilon, normed);
  backend_.linear(normed, w.matrix(BlockWeight::kQuery), w.bias(BlockWeight::kQuery), query, false);
  backend_.rope(query, positions, model_.config.rope);
  backend_.attention(query, wave_->keys, wave_->values, nodes, wave_->tree, model_.config.attention, mixed);
  backend_.linear(mixed, w.matrix(BlockWeight::kOutput), w.bias(BlockWeight::kOutput), residual, true);
}

/// residual += Wdown · (silu(Wgate · norm(residual)) ⊙ Wup · norm(residual))
void Forward::add_mlp(const LayerWeights& w, const Array& residual) {
  const Array normed = normed_.row_range(0, residual.rows());
  const Array product = product_.row_range(0, residual.rows());
  backend_.rms_norm(residual, w.norm(BlockWeight::kMlpNorm), model_.config.rms_norm_epsilon, normed);
  backend_.swiglu(normed, w.linear(BlockWeight::kGate), w.linear(BlockWeight::kUp), product);
  backend_.linear(product, w.matrix(BlockWeight::kDown), w.bias(BlockWeight::kDown), residual, true);
}

}  // namespace saescope
