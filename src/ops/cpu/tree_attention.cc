#include "ops/cpu/tree_attention.h"

#include <algorithm>
#include <vector>

#include "ops/cpu/elementwise.h"

namespace saescope {
namespace {

constexpr std::size_t kMostBlockRows = 128;  // (query token, head of the group) pairs of a block

/// Queries first … first + count - 1, each the child of the one before.
struct QueryRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

std::vector<QueryRange> cut_into_paths(std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                       std::size_t most) {
  std::vector<QueryRange> ranges;
  for (std::size_t i = 0; i < query_nodes.size(); ++i) {
    const bool continues = i > 0 && ranges.back().count < most &&
                           tree.parent[static_cast<std::size_t>(query_nodes[i])] == query_nodes[i - 1];
    if (continues) {
      ++ranges.back().count;
    } else {
      ranges.push_back({i, 1});
    }
  }
  return ranges;
}

void find_path(int32_t node, const TreeTopology& tree, std::vector<std::size_t>& path) {
  path.resize(static_cast<std::size_t>(tree.position[static_cast<std::size_t>(node)]) + 1);
  for (std::size_t i = path.size(); i-- > 0; node = tree.parent[static_cast<std::size_t>(node)]) {
    path[i] = static_cast<std::size_t>(node);
  }
}

void store_rows(const Kernels& kernels, const AttentionBlock& block, const AttentionWorkspace& work,
                const Array& out) {
  const std::size_t group = block.shape.heads / block.shape.kv_heads;
  const std::size_t dim = block.shape.head_dim;
  for (std::size_t r = 0; r < block.queries * group; ++r) {
    const std::size_t head = block.kv_head * group + r % group;
    kernels.store(work.sums.data() + r * work.padded_dim, dim,
                  row_output(out, block.first_query + r / group, head * dim));
  }
}

}  // namespace

void cpu_tree_attention(const Kernels& kernels, const Array& q, const Array& k, const Array& v,
                        std::span<const int32_t> query_nodes, const TreeTopology& tree,
                        const AttentionShape& shape, const Array& out, int threads) {
  const std::size_t group = shape.heads / shape.kv_heads;
  const std::size_t most_queries = std::max<std::size_t>(1, kMostBlockRows / group);
  const std::vector<QueryRange> ranges = cut_into_paths(query_nodes, tree, most_queries);
#pragma omp parallel num_threads(threads)
  {
    AttentionWorkspace work(most_queries * group, shape.head_dim);
    std::vector<std::size_t> path;
#pragma omp for schedule(dynamic)
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const QueryRange& range = ranges[i];
      find_path(query_nodes[range.first + range.count - 1], tree, path);
      for (std::size_t h = 0; h < shape.kv_heads; ++h) {
        const AttentionBlock block = {q.f32(), k.f32(), v.f32(), path, range.first, range.count, h, shape};
        kernels.attend(block, work);
        store_rows(kernels, block, work, out);
      }
    }
  }
}

}  // namespace saescope
