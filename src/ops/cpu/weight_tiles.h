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

/// Some outputs of a weight [out, in], ready for the GEMM.
struct WeightTile {
  const void* data = nullptr;
  std::size_t ld = 0;            ///< elements between rows
  bool rows_are_outputs = true;  ///< [count, in]; otherwise [in, count]
};

/// Tiles of weights for one thread. A weight that is stored as it is multiplied stays where it lies; any
/// other is converted, a tile at a time, so that no matrix is held twice.
class WeightTiles {
 public:
  /// Outputs [first, first + count). The tile stays valid until the next call.
  WeightTile load(const TensorView& weight, TileType type, std::size_t first, std::size_t count);
  /// Forgets the converted tile: another weight may lie at the same address by now.
  void forget() { held_ = {}; }

 private:
  struct Held {
    const std::byte* weight = nullptr;
    std::size_t first = 0;
    bool operator==(const Held&) const = default;
  };
  void convert_rows(const TensorView& weight, TileType type, std::size_t first, std::size_t count);
  void convert_columns(const TensorView& weight, TileType type, std::size_t first, std::size_t count);

  Held held_;  ///< consecutive tasks often multiply other rows with the same tile
  Buffer<float> row_;
  Buffer<float> f32_;
  Buffer<BFloat16> bf16_;
};

}  // namespace saescope
