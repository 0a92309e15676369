#include "ops/torch/query_blocks.h"

#include <algorithm>

namespace saescope {
namespace {

bool is_ancestor(int32_t above, int32_t node, const TreeTopology& tree) {
  const auto depth = [&](int32_t n) { return tree.position[static_cast<std::size_t>(n)]; };
  while (node > above && depth(node) > depth(above)) node = tree.parent[static_cast<std::size_t>(node)];
  return node == above;
}

/// Gives a block its tiles: from the first key that its first query sees to its last query's own.
void place_tiles(QueryBlock& block, std::span<const int32_t> query_nodes, const TreeTopology& tree,
                 std::size_t window, const BlockShape& shape) {
  const auto position = [&](std::size_t query) {
    return static_cast<std::size_t>(tree.position[static_cast<std::size_t>(query_nodes[query])]);
  };
  const std::size_t first = position(block.first);
  const std::size_t first_key = window == 0 || first < window ? 0 : first - window + 1;
  block.first_tile = first_key / shape.keys;
  block.tiles = position(block.first + block.count - 1) / shape.keys - block.first_tile + 1;
}

}  // namespace

std::vector<QueryBlock> cut_queries(std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                    std::size_t window, const BlockShape& shape) {
  std::vector<QueryBlock> blocks;
  for (std::size_t query = 0; query < query_nodes.size(); ++query) {
    const int32_t node = query_nodes[query];
    const bool joins = !blocks.empty() && blocks.back().count < shape.queries &&
                       blocks.back().last_node != node && is_ancestor(blocks.back().last_node, node, tree);
    if (!joins) blocks.push_back({.first = query});
    ++blocks.back().count;
    blocks.back().last_node = node;
  }
  for (QueryBlock& block : blocks) place_tiles(block, query_nodes, tree, window, shape);
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const QueryBlock& a, const QueryBlock& b) { return a.tiles > b.tiles; });
  return blocks;
}

std::vector<int32_t> path_of(int32_t node, const TreeTopology& tree) {
  std::vector<int32_t> path(static_cast<std::size_t>(tree.position[static_cast<std::size_t>(node)]) + 1);
  for (auto place = path.rbegin(); place != path.rend(); ++place) {
    *place = node;
    node = tree.parent[static_cast<std::size_t>(node)];
  }
  return path;
}

}  // namespace saescope
