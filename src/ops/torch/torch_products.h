#pragma once

#include <functional>
#include <span>
#include <vector>

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

/// Products of activations with each of some weights, transposed, in pieces of fixed extents.
class TorchProducts {
 public:
  /// @param x [rows, in] f32, or bf16, which multiplies rounded weights @param weights [out, in], all of one
  /// shape; must outlive this, as all others but x
  TorchProducts(const TorchDevice& device, const ProductExtents& extents, TorchWeights& store, const Array& x,
                std::span<const Weight* const> weights);

  std::size_t outputs() const { return weights_.front()->shape[0]; }
  std::size_t tile() const { return tile_; }
  /// All rows of the tile of outputs that begins with this one, a multiple of tile().
  void multiply(std::size_t first_output, const PieceSink& sink);
  /// All tiles.
  void multiply_all(const PieceSink& sink) {
    for (std::size_t first = 0; first < outputs(); first += tile()) multiply(first, sink);
  }

 private:
  const TorchDevice& device_;
  const ProductExtents& extents_;
  TorchWeights& store_;
  std::span<const Weight* const> weights_;
  DType dtype_;  ///< of x
  std::size_t rows_, inputs_, tile_;
  TorchTensor filled_;               ///< x, filled up to whole pieces
  std::vector<TorchTensor> values_;  ///< of each weight [extents.rows, tile]
};

}  // namespace saescope
