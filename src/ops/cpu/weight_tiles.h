#pragma once

#include <cstddef>

#include "tensor/buffer.h"
#include "tensor/float16.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// What a tile of a weight becomes before it is multiplied.
enum class TileType {
  kF32,
  kBF16,
  kF32RoundedToBF16,  ///< bfloat16 values in float32, for processors that cannot multiply bfloat16
};

/// Outputs [first, first + count) of a weight [out, in], converted for the GEMM.
struct WeightTile {
  const void* data = nullptr;
  std::size_t ld = 0;            ///< elements between rows
  bool rows_are_outputs = true;  ///< [count, in]; otherwise [in, count]
};

/// Converts weights that are stored in another type than they are multiplied in, a tile at a time, so
/// that a whole matrix is never held in memory twice.
class WeightTiles {
 public:
  WeightTiles(const TensorView& weight, TileType type, int threads);
  std::size_t tile_outputs() const { return tile_outputs_; }
  /// The tile stays valid until the next call.
  WeightTile load(std::size_t first, std::size_t count);

 private:
  void load_rows(std::size_t first, std::size_t count);
  void load_columns(std::size_t first, std::size_t count);

  const TensorView& weight_;
  TileType type_;
  int threads_;
  std::size_t tile_outputs_;
  Buffer<float> f32_;
  Buffer<BFloat16> bf16_;
};

}  // namespace saescope
