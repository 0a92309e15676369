#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ops/backend.h"

namespace saescope {

/// Queries that stand on one path of a tree, few enough to be scored together against tiles of that path's
/// keys.
struct QueryBlock {
  std::size_t first = 0;   ///< of the queries
  std::size_t count = 0;   ///< neighbours in the order of the queries
  int32_t last_node = -1;  ///< where the last of them stands: the others are its ancestors
  std::size_t first_tile = 0;
  std::size_t tiles = 0;  ///< tile t holds positions [t · keys, (t + 1) · keys) of the path
};

/// How many queries and keys meet at once. Constants, since a row's bits may depend on them.
struct BlockShape {
  std::size_t queries = 32;
  std::size_t keys = 256;
};

/// Cuts queries into blocks, those with the most tiles first. @param query_nodes ascending
/// @param window as in AttentionShape
std::vector<QueryBlock> cut_queries(std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                    std::size_t window, const BlockShape& shape);

/// The node of each position of the path that ends at `node`: [position of node + 1].
std::vector<int32_t> path_of(int32_t node, const TreeTopology& tree);

}  // namespace saescope
