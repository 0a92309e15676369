#pragma once

#include "ops/backend.h"
#include "ops/cpu/kernels.h"

namespace saescope {

/// Backend::attention for the CPU: blocks of queries on one path of the tree, each against every key/value
/// head. A query's result does not depend on the block that it is in.
void cpu_tree_attention(const Kernels& kernels, const Array& q, const Array& k, const Array& v,
                        std::span<const int32_t> query_nodes, const TreeTopology& tree,
                        const AttentionShape& shape, const Array& out, int threads);

}  // namespace saescope
