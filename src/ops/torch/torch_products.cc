#include "ops/torch/torch_products.h"

#include <algorithm>
#include <vector>

namespace saescope {
namespace {

/// x as the products take it: rows filled up to whole pieces, of the products' dtype, in memory of its own,
/// since where a matrix begins may decide which kernel multiplies it.
TorchTensor fill_up(const TorchDevice& device, const Array& x, DType type, std::size_t piece) {
  const auto rows = static_cast<int64_t>(x.rows());
  const auto cols = static_cast<int64_t>(x.cols());
  const auto whole = static_cast<int64_t>((x.rows() + piece - 1) / piece * piece);
  TorchTensor filled = device.empty({whole, cols}, type);
  if (whole > rows) filled.view({whole - rows, cols}, {cols, 1}, rows * cols).set_zero();
  filled.view({rows, cols}, {cols, 1}).copy_from(device.on_device(x.bytes(), {rows, cols}, x.dtype()));
  return filled;
}

}  // namespace

TorchTensor ProductPiece::existing(const TorchTensor& matrix) const {
  return matrix.view({static_cast<int64_t>(rows), static_cast<int64_t>(outputs)},
                     {static_cast<int64_t>(tile), 1});
}

TorchTensor ProductPiece::place_in(const TorchTensor& result, std::size_t cols) const {
  return result.view({static_cast<int64_t>(rows), static_cast<int64_t>(outputs)},
                     {static_cast<int64_t>(cols), 1}, static_cast<int64_t>(first_row * cols + first_output));
}

void multiply_in_pieces(const TorchDevice& device, const ProductExtents& extents, TorchWeights& store,
                        const Array& x, std::span<const Weight* const> weights, const PieceSink& sink) {
  const DType type = store.product_type(x.dtype());
  const TorchTensor filled = fill_up(device, x, type, extents.rows);
  const std::size_t outputs = weights.front()->shape[0];
  const std::size_t tile = store.tile_outputs(*weights.front(), x.dtype());
  const auto [m, n, k] = std::array{static_cast<int64_t>(extents.rows), static_cast<int64_t>(tile),
                                    static_cast<int64_t>(x.cols())};
  std::vector<TorchTensor> values;
  while (values.size() < weights.size()) values.push_back(device.empty({m, n}));
  for (std::size_t first = 0; first < outputs; first += tile) {
    std::vector<TorchTensor> tiles;
    for (const Weight* weight : weights) tiles.push_back(store.tile(*weight, x.dtype(), first));
    for (std::size_t row = 0; row < x.rows(); row += extents.rows) {
      const TorchTensor rows = filled.view({m, k}, {k, 1}, static_cast<int64_t>(row) * k);
      for (std::size_t i = 0; i < tiles.size(); ++i) {
        device.product(rows, tiles[i].view({k, n}, {1, k}), values[i], type == DType::kBF16);
      }
      sink({row, std::min(extents.rows, x.rows() - row), first, std::min(tile, outputs - first), values,
            tile});
    }
  }
}

}  // namespace saescope
