#pragma once

#include <memory>

#include "ops/array.h"
#include "ops/torch/query_blocks.h"
#include "ops/torch/torch_device.h"

namespace saescope {

/// Backend::attention on a device: blocks of queries against tiles of 256 gathered keys and values, with an
/// online softmax (Milakov & Gimelshein 2018; Dao et al. 2022). So many blocks go together that every product
/// and every sum has the same extents in each call, whatever the queries: a query's result depends on its
/// path alone. What a query does not see weighs exactly nothing.
void torch_tree_attention(const TorchDevice& device, const Array& q, const Array& k, const Array& v,
                          std::span<const int32_t> query_nodes, const TreeTopology& tree,
                          const AttentionShape& shape, const Array& out);

}  // namespace saescope
