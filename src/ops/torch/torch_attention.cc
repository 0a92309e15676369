#include "ops/torch/torch_attention.h"

#include <algorithm>
#include <vector>

namespace saescope {
namespace {

constexpr BlockShape kAttentionBlock;
constexpr auto kQueries = static_cast<int64_t>(kAttentionBlock.queries);
constexpr auto kKeys = static_cast<int64_t>(kAttentionBlock.keys);
constexpr float kUnseen = -1e30f;     // the score of a key that a query does not see: its weight is exactly 0
constexpr float kNoPosition = 1e30f;  // of what fills a tile up behind the path's end

/// The extents of one step: so many blocks at once.
struct AttentionExtents {
  int64_t blocks, kv_heads, group, dim;

  AttentionExtents(const AttentionShape& shape, bool is_gpu)
      : blocks(1),
        kv_heads(static_cast<int64_t>(shape.kv_heads)),
        group(static_cast<int64_t>(shape.heads / shape.kv_heads)),
        dim(static_cast<int64_t>(shape.head_dim)) {
    const int64_t scores = kv_heads * group * kQueries * kKeys;
    const int64_t keys = 2 * kKeys * kv_heads * dim;
    const int64_t most = int64_t{1} << (is_gpu ? 26 : 17);  // floats
    while (blocks < 32 && 2 * blocks * (scores + keys) <= most) blocks *= 2;
  }
  int64_t batch() const { return blocks * kv_heads; }
  int64_t rows() const { return kQueries * group; }
  int64_t q_dim() const { return kv_heads * group * dim; }
  int64_t kv_dim() const { return kv_heads * dim; }
};

/// The online softmax of blocks that are worked on together.
class OnlineSoftmax {
 public:
  OnlineSoftmax(const TorchDevice& device, const AttentionExtents& extents, const AttentionShape& shape)
      : device_(device), e_(extents), shape_(shape), unseen_(device.constant(kUnseen)) {}

  /// Starts with queries. @param rows [blocks · queries] of q @param positions the same
  void begin(const TorchTensor& q, const std::vector<int64_t>& rows, const std::vector<float>& positions) {
    const TorchTensor gathered = device_.empty({e_.blocks * kQueries, e_.q_dim()});
    device_.gather(q, device_.upload(rows, {e_.blocks * kQueries}), gathered);
    const TorchTensor scaled = device_.multiply(gathered, device_.number(shape_.scale));
    query_ = device_.empty({e_.blocks, e_.kv_heads, kQueries, e_.group, e_.dim});
    query_.copy_from(by_head(scaled));
    positions_ = device_.upload(positions, {e_.blocks, 1, kQueries, 1, 1});
    top_ = device_.upload(std::vector<float>(size(1), kUnseen), {e_.batch(), e_.rows(), 1});
    total_ = device_.empty({e_.batch(), e_.rows(), 1});
    total_.set_zero();
    mixed_ = device_.empty({e_.batch(), e_.rows(), e_.dim});
    mixed_.set_zero();
  }

  /// Adds a tile of keys of each block. @param nodes [blocks · keys] @param positions the same
  void add(const TorchTensor& k, const TorchTensor& v, const std::vector<int64_t>& nodes,
           const std::vector<float>& positions) {
    const TorchTensor indices = device_.upload(nodes, {e_.blocks * kKeys});
    const TorchTensor keys = gather_heads(k, indices);
    const TorchTensor values = gather_heads(v, indices);
    const TorchTensor scores = masked(score(keys), device_.upload(positions, {e_.blocks, 1, 1, 1, kKeys}));
    TorchTensor top = device_.maximum(top_, device_.largest(scores));
    const TorchTensor weights = device_.exp(device_.subtract(scores, top));
    const TorchTensor fades = device_.exp(device_.subtract(top_, top));
    const TorchTensor more = device_.empty({e_.batch(), e_.rows(), e_.dim});
    device_.products(weights, values, more);
    total_ = device_.add(device_.multiply(total_, fades), device_.sum(weights));
    mixed_ = device_.add(device_.multiply(mixed_, fades), more);
    top_ = std::move(top);
  }

  /// [blocks · queries, heads · head_dim]
  TorchTensor finish() const {
    const TorchTensor by_heads = device_.divide(mixed_, total_);
    TorchTensor rows = device_.empty({e_.blocks * kQueries, e_.q_dim()});
    by_head(rows).copy_from(by_heads.reshape({e_.blocks, e_.kv_heads, kQueries, e_.group, e_.dim}));
    return rows;
  }

 private:
  std::size_t size(int64_t cols) const { return static_cast<std::size_t>(e_.batch() * e_.rows() * cols); }

  /// [blocks · queries, heads · head_dim], seen as [blocks, kv_heads, queries, group, head_dim].
  TorchTensor by_head(const TorchTensor& rows) const {
    return rows.view({e_.blocks, e_.kv_heads, kQueries, e_.group, e_.dim},
                     {kQueries * e_.q_dim(), e_.group * e_.dim, e_.q_dim(), e_.dim, 1});
  }

  /// [blocks · kv_heads, keys, head_dim]
  TorchTensor gather_heads(const TorchTensor& x, const TorchTensor& nodes) const {
    const TorchTensor rows = device_.empty({e_.blocks * kKeys, e_.kv_dim()});
    device_.gather(x, nodes, rows);
    const TorchTensor heads = device_.empty({e_.blocks, e_.kv_heads, kKeys, e_.dim});
    heads.copy_from(
        rows.view({e_.blocks, e_.kv_heads, kKeys, e_.dim}, {kKeys * e_.kv_dim(), e_.dim, e_.kv_dim(), 1}));
    return heads.reshape({e_.batch(), kKeys, e_.dim});
  }

  TorchTensor score(const TorchTensor& keys) const {
    TorchTensor scores = device_.empty({e_.batch(), e_.rows(), kKeys});
    device_.products(query_.reshape({e_.batch(), e_.rows(), e_.dim}),
                     keys.view({e_.batch(), e_.dim, kKeys}, {kKeys * e_.dim, 1, e_.dim}), scores);
    if (shape_.softcap == 0) return scores;
    const TorchTensor cap = device_.number(shape_.softcap);
    return device_.multiply(device_.tanh(device_.divide(scores, cap)), cap);
  }

  TorchTensor masked(const TorchTensor& scores, const TorchTensor& key_positions) const {
    TorchTensor seen = device_.at_most(key_positions, positions_);
    if (shape_.window != 0) {
      const TorchTensor before =
          device_.subtract(positions_, device_.number(static_cast<float>(shape_.window)));
      seen = device_.both(seen, device_.greater(key_positions, before));
    }
    return device_.choose(seen, scores.reshape({e_.blocks, e_.kv_heads, kQueries, e_.group, kKeys}), unseen_)
        .reshape({e_.batch(), e_.rows(), kKeys});
  }

  const TorchDevice& device_;
  AttentionExtents e_;
  const AttentionShape& shape_;
  TorchTensor unseen_;     // the score of a key that a query does not see
  TorchTensor query_;      // [blocks, kv_heads, queries, group, head_dim], scaled
  TorchTensor positions_;  // [blocks, 1, queries, 1, 1]
  TorchTensor top_;        // [blocks · kv_heads, queries · group, 1]: the largest score so far
  TorchTensor total_;      // the same: the sum of weights
  TorchTensor mixed_;      // [blocks · kv_heads, queries · group, head_dim]
};

/// What one call works on.
struct AttentionCall {
  const TorchDevice& device;
  std::span<const int32_t> query_nodes;
  const TreeTopology& tree;
  AttentionExtents extents;
  TorchTensor q, k, v, out;
  DType out_type;
};

/// The nodes and positions of one tile of a block's path. Behind the path's end its first key fills up,
/// unseen.
void fill_key_tile(const QueryBlock& block, const std::vector<int32_t>& path, std::size_t tile,
                   int64_t* nodes, float* positions) {
  const std::size_t first = std::min((block.first_tile + tile) * kAttentionBlock.keys, path.size() - 1);
  for (std::size_t i = 0; i < kAttentionBlock.keys; ++i) {
    const std::size_t position = (block.first_tile + tile) * kAttentionBlock.keys + i;
    const bool exists = tile < block.tiles && position < path.size();
    nodes[i] = path[exists ? position : first];
    positions[i] = exists ? static_cast<float>(position) : kNoPosition;
  }
}

/// Puts the rows of finished queries in their places.
void store_rows(const AttentionCall& p, const TorchTensor& rows, std::span<const QueryBlock> blocks) {
  std::vector<int64_t> from;
  std::vector<int64_t> to;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t i = 0; i < blocks[b].count; ++i) {
      from.push_back(static_cast<int64_t>(b * kAttentionBlock.queries + i));
      to.push_back(static_cast<int64_t>(blocks[b].first + i));
    }
  }
  const auto count = static_cast<int64_t>(from.size());
  const TorchTensor chosen = p.device.empty({count, p.extents.q_dim()});
  p.device.gather(rows, p.device.upload(from, {count}), chosen);
  const TorchTensor rounded = p.device.empty({count, p.extents.q_dim()}, p.out_type);
  rounded.copy_from(chosen);
  p.device.scatter(rounded, p.device.upload(to, {count}), p.out);
}

void run_blocks(const AttentionCall& p, std::span<const QueryBlock> blocks, OnlineSoftmax& step) {
  const auto places = static_cast<std::size_t>(p.extents.blocks);
  std::vector<int64_t> rows(places * kAttentionBlock.queries, 0);
  std::vector<float> row_positions(rows.size(), 0);
  std::vector<std::vector<int32_t>> paths;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    paths.push_back(path_of(blocks[b].last_node, p.tree));
    for (std::size_t i = 0; i < kAttentionBlock.queries; ++i) {
      const std::size_t query = blocks[b].first + std::min(i, blocks[b].count - 1);
      rows[b * kAttentionBlock.queries + i] = static_cast<int64_t>(query);
      row_positions[b * kAttentionBlock.queries + i] =
          static_cast<float>(p.tree.position[static_cast<std::size_t>(p.query_nodes[query])]);
    }
  }
  step.begin(p.q, rows, row_positions);
  std::vector<int64_t> nodes(places * kAttentionBlock.keys, 0);
  std::vector<float> positions(nodes.size(), kNoPosition);
  for (std::size_t tile = 0; tile < blocks.front().tiles; ++tile) {
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      fill_key_tile(blocks[b], paths[b], tile, nodes.data() + b * kAttentionBlock.keys,
                    positions.data() + b * kAttentionBlock.keys);
    }
    step.add(p.k, p.v, nodes, positions);
  }
  store_rows(p, step.finish(), blocks);
}

}  // namespace

void torch_tree_attention(const TorchDevice& device, const Array& q, const Array& k, const Array& v,
                          std::span<const int32_t> query_nodes, const TreeTopology& tree,
                          const AttentionShape& shape, const Array& out) {
  const auto tensor = [&](const Array& array) {
    return device.on_device(array.bytes(),
                            {static_cast<int64_t>(array.rows()), static_cast<int64_t>(array.cols())},
                            array.dtype());
  };
  const AttentionCall problem = {device,     query_nodes, tree,      AttentionExtents(shape, device.is_gpu()),
                                 tensor(q),  tensor(k),   tensor(v), tensor(out),
                                 out.dtype()};
  const std::vector<QueryBlock> blocks = cut_queries(query_nodes, tree, shape.window, kAttentionBlock);
  const auto together = static_cast<std::size_t>(problem.extents.blocks);
  OnlineSoftmax step(device, problem.extents, shape);
  for (std::size_t first = 0; first < blocks.size(); first += together) {
    run_blocks(problem, std::span(blocks).subspan(first, std::min(together, blocks.size() - first)), step);
  }
}

}  // namespace saescope
