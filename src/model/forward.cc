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

/// Of normed_, query_, mixed_, product_ and branch_.
std::array<ScratchShape, 5> scratch_shapes(const ModelConfig& c, DType compute) {
  const bool norms_outputs = c.architecture->has(BlockWeight::kAttentionOutputNorm) ||
                             c.architecture->has(BlockWeight::kMlpOutputNorm);
  return {{{c.hidden_size, compute},
           {q_dim(c), DType::kF32},
           {q_dim(c), compute},
           {c.intermediate_size, compute},
           {norms_outputs ? c.hidden_size : 0, DType::kF32}}};
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
  // Of the projections into the MLP and of the one out of it.
  const std::size_t workspace =
      std::max(backend.workspace_bytes(chunk_rows, c.hidden_size, c.intermediate_size),
               backend.workspace_bytes(chunk_rows, c.intermediate_size, c.hidden_size));
  return chunk_rows * per_row + workspace;
}

void Forward::allocate_scratch(std::size_t rows) {
  const std::array shapes = scratch_shapes(model_.config, compute_);
  const std::array arrays = {&normed_, &query_, &mixed_, &product_, &branch_};
  for (Array* const array : arrays) *array = {};  // before the new ones are allocated
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
  backend_.embed(model_.weights.embedding, tree.tokens(), model_.config.embedding_scale, wave_->residual);
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
  const Block block = {model_.weights.layers[layer], model_.config.attention_of(layer),
                       model_.config.rope_of(layer)};
  before_layer(layer);
  compute_keys_values(block);
  if (layer == wave.taps.layers.back()) {
    backend_.gather(wave.residual, wave.taps.nodes, wave.tapped);
    run_block(block, wave.tapped, wave.taps.nodes);
    return true;
  }
  run_block(block, wave.residual, wave.all_nodes);
  if (!std::binary_search(wave.taps.layers.begin(), wave.taps.layers.end(), layer)) return false;
  backend_.gather(wave.residual, wave.taps.nodes, wave.tapped);
  return true;
}

void Forward::norm(const Array& x, std::span<const float> factors, const Array& out, Store store) {
  backend_.rms_norm(x, factors, model_.config.rms_norm_epsilon, out, store);
}

/// Queries or keys, whose heads some architectures norm first.
void Forward::rotate(const Array& x, std::span<const float> factors, std::span<const int32_t> positions,
                     const RopeFrequencies& rope) {
  if (!factors.empty()) norm(x, factors, x);
  backend_.rope(x, positions, rope);
}

/// Keys and values of every node, since later nodes look at earlier ones.
void Forward::compute_keys_values(const Block& block) {
  const LayerWeights& w = block.weights;
  const Array& residual = wave_->residual;
  for (std::size_t first = 0; first < residual.rows(); first += chunk_rows_) {
    const std::size_t rows = std::min(chunk_rows_, residual.rows() - first);
    const Array normed = normed_.row_range(0, rows);
    const Array keys = wave_->keys.row_range(first, rows);
    const Array values = wave_->values.row_range(first, rows);
    norm(residual.row_range(first, rows), w.norm(BlockWeight::kAttentionNorm), normed);
    backend_.linear(normed, w.matrix(BlockWeight::kKey), w.bias(BlockWeight::kKey), keys, false);
    backend_.linear(normed, w.matrix(BlockWeight::kValue), w.bias(BlockWeight::kValue), values, false);
    rotate(keys, w.norm(BlockWeight::kKeyNorm), wave_->tree.position.subspan(first, rows), block.rope);
  }
}

/// residual rows (at `nodes`) pass through the block, a chunk at a time.
void Forward::run_block(const Block& block, const Array& residual, std::span<const int32_t> nodes) {
  for (std::size_t first = 0; first < nodes.size(); first += chunk_rows_) {
    context_.cancel->check();
    const std::size_t rows = std::min(chunk_rows_, nodes.size() - first);
    const Array chunk = residual.row_range(first, rows);
    add_attention(block, chunk, nodes.subspan(first, rows));
    add_mlp(block.weights, chunk);
  }
}

/// residual += Wo · attention(norm(residual))
void Forward::add_attention(const Block& block, const Array& residual, std::span<const int32_t> nodes) {
  const LayerWeights& w = block.weights;
  const Array normed = normed_.row_range(0, nodes.size());
  const Array query = query_.row_range(0, nodes.size());
  const Array mixed = mixed_.row_range(0, nodes.size());
  std::vector<int32_t> positions(nodes.size());
  std::transform(nodes.begin(), nodes.end(), positions.begin(),
                 [&](int32_t node) { return wave_->tree.position[static_cast<std::size_t>(node)]; });
  norm(residual, w.norm(BlockWeight::kAttentionNorm), normed);
  backend_.linear(normed, w.matrix(BlockWeight::kQuery), w.bias(BlockWeight::kQuery), query, false);
  rotate(query, w.norm(BlockWeight::kQueryNorm), positions, block.rope);
  backend_.attention(query, wave_->keys, wave_->values, nodes, wave_->tree, block.attention, mixed);
  add_projection(mixed, w.linear(BlockWeight::kOutput), w.norm(BlockWeight::kAttentionOutputNorm), residual);
}

/// residual += Wdown · (function(Wgate · norm(residual)) ⊙ Wup · norm(residual))
void Forward::add_mlp(const LayerWeights& w, const Array& residual) {
  const Array normed = normed_.row_range(0, residual.rows());
  const Array product = product_.row_range(0, residual.rows());
  norm(residual, w.norm(BlockWeight::kMlpNorm), normed);
  backend_.glu(normed, w.linear(BlockWeight::kGate), w.linear(BlockWeight::kUp),
               model_.config.architecture->block.gate, product);
  add_projection(product, w.linear(BlockWeight::kDown), w.norm(BlockWeight::kMlpOutputNorm), residual);
}

/// residual += x · projection, normed before the addition where there are factors for it.
void Forward::add_projection(const Array& x, const LinearWeight& projection,
                             std::span<const float> output_norm, const Array& residual) {
  if (output_norm.empty()) return backend_.linear(x, projection.weight, projection.bias, residual, true);
  const Array branch = branch_.row_range(0, residual.rows());
  backend_.linear(x, projection.weight, projection.bias, branch, false);
  norm(branch, output_norm, residual, Store::kAdd);
}

}  // namespace saescope
