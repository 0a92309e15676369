#pragma once

#include <functional>
#include <span>

#include "ops/array.h"
#include "ops/torch/torch_weights.h"

namespace saescope {

/// A piece of the products of activations with weights that have the same extents.
struct ProductPiece {
  std::size_t first_row, rows;        ///< that exist
  std::size_t first_output, outputs;  ///< the same
  std::span<const TorchTensor>
      values;        ///< for each weight [extents.rows, tile]: rows and outputs, then what fills up
  std::size_t tile;  ///< outputs of `values`

  /// The existing part of a matrix like `values`.
  TorchTensor existing(const TorchTensor& matrix) const;
  /// The same part of a result [rows, cols] of the device.
  TorchTensor place_in(const TorchTensor& result, std::size_t cols) const;
};

using PieceSink = std::function<void(const ProductPiece& piece)>;

/// Multiplies x with each of the weights, transposed, in pieces of fixed extents: for each tile of outputs
/// all rows.
/// @param x [rows, in] f32, or bf16, which multiplies rounded weights @param weights [out, in], all of one
/// shape
void multiply_in_pieces(const TorchDevice& device, const ProductExtents& extents, TorchWeights& store,
                        const Array& x, std::span<const Weight* const> weights, const PieceSink& sink);

}  // namespace saescope
