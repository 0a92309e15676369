#include "ops/cpu/tree_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/cpu/elementwise.h"
#include "ops/cpu/register_block.h"
#include "ops/cpu/vector_math.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

constexpr std::size_t kTile = kBlockCols;    // keys of a tile
constexpr std::size_t kMaxQueryTokens = 32;  // query tokens of a block, each with all heads of its group
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// Queries first … first + count - 1, each the child of the one before.
struct QueryBlock {
  std::size_t first = 0;
  std::size_t count = 0;
};

std::vector<QueryBlock> cut_into_blocks(std::span<const int32_t> query_nodes, const TreeTopology& tree) {
  std::vector<QueryBlock> blocks;
  for (std::size_t i = 0; i < query_nodes.size(); ++i) {
    const bool continues = i > 0 && blocks.back().count < kMaxQueryTokens &&
                           tree.parent[static_cast<std::size_t>(query_nodes[i])] == query_nodes[i - 1];
    if (continues) {
      ++blocks.back().count;
    } else {
      blocks.push_back({i, 1});
    }
  }
  return blocks;
}

/// What one thread works in. Rows are (query token, head of the group) pairs.
struct Workspace {
  Workspace(std::size_t max_rows, std::size_t head_dim)
      : padded_dim((head_dim + kTile - 1) / kTile * kTile),
        keys(head_dim * kTile),
        values(kTile * padded_dim),
        scores(max_rows * kTile),
        sums(max_rows * padded_dim),
        top(max_rows),
        total(max_rows) {}

  std::size_t padded_dim;
  std::vector<std::size_t> path;  ///< nodes from the root to the block's last query
  Buffer<float> keys;             ///< [head_dim, kTile]: transposed
  Buffer<float> values;           ///< [kTile, padded_dim]
  Buffer<float> scores;           ///< [rows, kTile]
  Buffer<float> sums;             ///< [rows, padded_dim]: Σ p·v so far
  std::vector<float> top;         ///< [rows]: largest score so far
  std::vector<float> total;       ///< [rows]: Σ p so far
};

void find_path(int32_t node, const TreeTopology& tree, std::vector<std::size_t>& path) {
  path.resize(static_cast<std::size_t>(tree.position[static_cast<std::size_t>(node)]) + 1);
  for (std::size_t i = path.size(); i-- > 0; node = tree.parent[static_cast<std::size_t>(node)]) {
    path[i] = static_cast<std::size_t>(node);
  }
}

/// Copies one tile of keys (transposed) and values; what lies past the path's end becomes zero.
void gather_tile(const Array& k, const Array& v, std::size_t first, std::size_t offset, std::size_t head_dim,
                 Workspace& work) {
  for (std::size_t j = 0; j < kTile; ++j) {
    float* value = work.values.data() + j * work.padded_dim;
    const bool exists = first + j < work.path.size();
    if (!exists) {
      for (std::size_t c = 0; c < head_dim; ++c) work.keys[c * kTile + j] = 0;
      std::fill_n(value, work.padded_dim, 0.0f);
      continue;
    }
    const float* key = k.f32().row(work.path[first + j]) + offset;
    for (std::size_t c = 0; c < head_dim; ++c) work.keys[c * kTile + j] = key[c];
    std::copy_n(v.f32().row(work.path[first + j]) + offset, head_dim, value);
    std::fill_n(value + head_dim, work.padded_dim - head_dim, 0.0f);
  }
}

/// Turns one row of scores into weights e^(s - top), after moving the row's sums to the new top.
/// Keys past `visible` weigh exactly nothing.
void softmax_row(float* scores, std::size_t visible, float scale, float& top, float& total, float* sums,
                 std::size_t padded_dim) {
  Vec16 best = splat(kMinusInfinity);
  for (std::size_t j = 0; j < kTile; ++j) scores[j] = j < visible ? scores[j] * scale : kMinusInfinity;
  for (std::size_t j = 0; j < kTile; j += kLanes) best = max16(load16(scores + j), best);
  const float new_top = std::max(top, max_lane(best));
  const float shrink = exp16(splat(top - new_top))[0];
  Vec16 weights = {};
  for (std::size_t j = 0; j < kTile; j += kLanes) {
    const Vec16 p = exp16(load16(scores + j) - new_top);
    weights += p;
    store16(scores + j, p);
  }
  total = total * shrink + sum_lanes(weights);
  if (shrink != 1.0f) {
    for (std::size_t c = 0; c < padded_dim; c += kLanes) store16(sums + c, load16(sums + c) * shrink);
  }
  top = new_top;
}

/// One block of queries against one key/value head.
class BlockAttention {
 public:
  BlockAttention(const Array& q, const Array& k, const Array& v, const AttentionShape& shape, Workspace& work)
      : q_(q), k_(k), v_(v), shape_(shape), group_(shape.heads / shape.kv_heads), work_(work) {}

  void run(const QueryBlock& block, std::size_t kv_head, const Array& out) {
    const std::size_t rows = block.count * group_;
    start_rows(block, kv_head, rows);
    const std::size_t first_position = work_.path.size() - block.count;
    for (std::size_t tile = 0; tile < work_.path.size(); tile += kTile) {
      gather_tile(k_, v_, tile, kv_head * shape_.head_dim, shape_.head_dim, work_);
      multiply_rows(queries_.data(), rows, shape_.head_dim, work_.keys.data(), kTile, scores_.data(), false);
      for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t seen = first_position + r / group_ + 1;
        softmax_row(scores_[r], seen > tile ? std::min(seen - tile, kTile) : 0, shape_.scale, work_.top[r],
                    work_.total[r], sums_[r], work_.padded_dim);
      }
      add_values(rows);
    }
    finish_rows(block, kv_head, rows, out);
  }

 private:
  void start_rows(const QueryBlock& block, std::size_t kv_head, std::size_t rows) {
    queries_.resize(rows);
    scores_.resize(rows);
    sums_.resize(rows);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t head = kv_head * group_ + r % group_;
      queries_[r] = q_.f32().row(block.first + r / group_) + head * shape_.head_dim;
      scores_[r] = work_.scores.data() + r * kTile;
      sums_[r] = work_.sums.data() + r * work_.padded_dim;
      std::fill_n(sums_[r], work_.padded_dim, 0.0f);
      work_.top[r] = kMinusInfinity;
      work_.total[r] = 0;
    }
  }

  void add_values(std::size_t rows) {
    columns_.resize(rows);
    for (std::size_t c = 0; c < work_.padded_dim; c += kTile) {
      for (std::size_t r = 0; r < rows; ++r) columns_[r] = sums_[r] + c;
      multiply_rows(scores_.data(), rows, kTile, work_.values.data() + c, work_.padded_dim, columns_.data(),
                    true);
    }
  }

  void finish_rows(const QueryBlock& block, std::size_t kv_head, std::size_t rows, const Array& out) {
    for (std::size_t r = 0; r < rows; ++r) {
      const float scale = 1.0f / work_.total[r];
      for (std::size_t c = 0; c < shape_.head_dim; ++c) sums_[r][c] *= scale;
      const std::size_t head = kv_head * group_ + r % group_;
      store_row(out, block.first + r / group_, head * shape_.head_dim, sums_[r], shape_.head_dim);
    }
  }

  const Array& q_;
  const Array& k_;
  const Array& v_;
  const AttentionShape& shape_;
  std::size_t group_;
  Workspace& work_;
  std::vector<const float*> queries_;
  std::vector<float*> scores_;
  std::vector<float*> sums_;
  std::vector<float*> columns_;
};

}  // namespace

void cpu_tree_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                        const TreeTopology& tree, const AttentionShape& shape, const Array& out,
                        int threads) {
  const std::vector<QueryBlock> blocks = cut_into_blocks(query_nodes, tree);
  const std::size_t max_rows = kMaxQueryTokens * (shape.heads / shape.kv_heads);
#pragma omp parallel num_threads(threads)
  {
    Workspace work(max_rows, shape.head_dim);
    BlockAttention attention(q, k, v, shape, work);
#pragma omp for schedule(dynamic)
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      find_path(query_nodes[blocks[b].first + blocks[b].count - 1], tree, work.path);
      for (std::size_t h = 0; h < shape.kv_heads; ++h) attention.run(blocks[b], h, out);
    }
  }
}

}  // namespace saescope
