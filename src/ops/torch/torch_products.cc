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

TorchProducts::TorchProducts(const TorchDevice& device, const ProductExtents& extents, TorchWeights& store,
                             const Array& x, std::span<const Weight* const> weights)
    : device_(device),
      extents_(extents),
      store_(store),
      weights_(weights),
      dtype_(x.dtype()),
      rows_(x.rows()),
      inputs_(x.cols()),
      tile_(store.tile_outputs(*weights.front(), x.dtype())),
      filled_(fill_up(device, x, store.product_type(x.dtype()), extents.rows)) {
  while (values_.size() < weights_.size()) {
    values_.push_back(device_.empty({static_cast<int64_t>(extents_.rows), static_cast<int64_t>(tile_)}));
  }
}

void TorchProducts::multiply(std::size_t first_output, const PieceSink& sink) {
  const bool is_bf16 = store_.product_type(dtype_) == DType::kBF16;
  const auto [m, n, k] = std::array{static_cast<int64_t>(extents_.rows), static_cast<int64_t>(tile_),
                                    static_cast<int64_t>(inputs_)};
  std::vector<TorchTensor> tiles;
  for (const Weight* weight : weights_) tiles.push_back(store_.tile(*weight, dtype_, first_output));
  for (std::size_t row = 0; row < rows_; row += extents_.rows) {
    const TorchTensor rows = filled_.view({m, k}, {k, 1}, static_cast<int64_t>(row) * k);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      device_.product(rows, tiles[i].view({k, n}, {1, k}), values_[i], is_bf16);
    }
    sink({row, std::min(extents_.rows, rows_ - row), first_output, std::min(tile_, outputs() - first_output),
          values_, tile_});
  }
}

}  // namespace saescope
