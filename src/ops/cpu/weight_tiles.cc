#include "ops/cpu/weight_tiles.h"

#include <algorithm>
#include <cstdint>

#include "ops/cpu/grow_buffer.h"
#include "ops/weight_rows.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

/// Mapped tensors lie where the file puts them; the GEMM reads elements, so they must be aligned.
bool is_aligned(const TensorView& view) {
  return reinterpret_cast<uintptr_t>(view.data) % layout_of(view.dtype).block_bytes == 0;
}

bool is_stored_as(const TensorView& weight, TileType type) {
  const DType wanted = type == TileType::kBF16 ? DType::kBF16 : DType::kF32;
  return type != TileType::kF32RoundedToBF16 && weight.dtype == wanted && is_aligned(weight);
}

void convert(const float* source, std::size_t count, TileType type, float* f32, BFloat16* bf16) {
  switch (type) {
    case TileType::kF32:
      return;  // already in place
    case TileType::kBF16:
      std::transform(source, source + count, bf16, to_bfloat16);
      return;
    case TileType::kF32RoundedToBF16:
      std::transform(source, source + count, f32, [](float v) { return to_float(to_bfloat16(v)); });
      return;
  }
}

}  // namespace

WeightTile WeightTiles::load(const TensorView& weight, TileType type, std::size_t first, std::size_t count) {
  const bool rows_are_outputs = weight.strides[1] == 1;
  if (is_stored_as(weight, type)) {
    const std::size_t ld = rows_are_outputs ? weight.strides[0] : weight.strides[1];
    return {weight_outputs(weight, first, count).data, ld, rows_are_outputs};
  }
  const std::size_t in = weight.shape[1];
  const Held wanted = {weight.data, first};
  if (held_ != wanted) {
    if (type == TileType::kBF16) {
      grow_buffer(bf16_, count * in);
      grow_buffer(row_, std::max(in, count));
    } else {
      grow_buffer(f32_, count * in);
    }
    rows_are_outputs ? convert_rows(weight, type, first, count) : convert_columns(weight, type, first, count);
    held_ = wanted;
  }
  const void* data = type == TileType::kBF16 ? static_cast<const void*>(bf16_.data()) : f32_.data();
  return {data, rows_are_outputs ? in : count, rows_are_outputs};
}

void WeightTiles::convert_rows(const TensorView& weight, TileType type, std::size_t first,
                               std::size_t count) {
  const std::size_t in = weight.shape[1];
  for (std::size_t r = 0; r < count; ++r) {
    const bool rounds = type == TileType::kBF16;
    float* target = rounds ? row_.data() : f32_.data() + r * in;
    load_weight_rows(weight, first + r, 1, target);
    convert(target, in, type, target, rounds ? bf16_.data() + r * in : nullptr);
  }
}

/// A transposed weight stays transposed: memory is read in the order in which it lies.
void WeightTiles::convert_columns(const TensorView& weight, TileType type, std::size_t first,
                                  std::size_t count) {
  const std::size_t element = layout_of(weight.dtype).block_bytes;
  for (std::size_t c = 0; c < weight.shape[1]; ++c) {
    const bool rounds = type == TileType::kBF16;
    float* target = rounds ? row_.data() : f32_.data() + c * count;
    dequantize(weight.dtype, weight.data + (first + c * weight.strides[1]) * element, count, target);
    convert(target, count, type, target, rounds ? bf16_.data() + c * count : nullptr);
  }
}

}  // namespace saescope
