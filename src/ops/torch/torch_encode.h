#pragma once

#include "ops/backend.h"
#include "ops/torch/torch_products.h"

namespace saescope {

/// What encoding works with.
struct TorchEncoding {
  const TorchDevice& device;
  const ProductExtents& extents;
  TorchWeights& weights;
};

/// Backend::encode on a device: products, activation functions and the choice of a tile's largest are
/// computed there, and the activations that are not 0 come back, while the device computes the next tile.
/// Where its memory does not hold a tile, the weights that stay there give way, once.
/// @param x [rows, d] what the encoder multiplies
void torch_encode(const TorchEncoding& encoding, const Array& x, const BoundEncoder& encoder,
                  const FeatureSink& sink);

}  // namespace saescope
