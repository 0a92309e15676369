#pragma once

#include "ops/backend.h"

namespace saescope {

/// Backend::attention for the CPU: blocks of queries on one path of the tree against tiles of keys, with
/// the online softmax of FlashAttention (Dao et al. 2022). Tiles start at multiples of a fixed
/// position, so a query's result does not depend on which other prompts share its wave.
void cpu_tree_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                        const TreeTopology& tree, const AttentionShape& shape, const Array& out, int threads);

}  // namespace saescope
