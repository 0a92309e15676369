#include "ops/cpu/weight_tiles.h"

#include <algorithm>
#include <vector>

#include "ops/weight_rows.h"
#include "tensor/float16.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

// 4 MiB of float32: large enough for the GEMM's blocking, small enough to stay in the last-level cache.
constexpr std::size_t kTileElements = 1 << 20;
constexpr std::size_t kOutputsMultiple = 64;

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

WeightTiles::WeightTiles(const TensorView& weight, TileType type, int threads)
    : weight_(weight), type_(type), threads_(threads) {
  const std::size_t in = weight.shape[1];
  const std::size_t outputs =
      std::max(kTileElements / in / kOutputsMultiple, std::size_t{1}) * kOutputsMultiple;
  tile_outputs_ = std::min<std::size_t>(outputs, weight.shape[0]);
  if (type == TileType::kBF16) {
    bf16_ = Buffer<BFloat16>(tile_outputs_ * in);
  } else {
    f32_ = Buffer<float>(tile_outputs_ * in);
  }
}

WeightTile WeightTiles::load(std::size_t first, std::size_t count) {
  const void* data = type_ == TileType::kBF16 ? static_cast<const void*>(bf16_.data()) : f32_.data();
  if (weight_.strides[1] == 1) {
    load_rows(first, count);
    return {data, weight_.shape[1], true};
  }
  load_columns(first, count);
  return {data, count, false};
}

void WeightTiles::load_rows(std::size_t first, std::size_t count) {
  const std::size_t in = weight_.shape[1];
#pragma omp parallel num_threads(threads_)
  {
    std::vector<float> row(type_ == TileType::kBF16 ? in : 0);
#pragma omp for schedule(static)
    for (std::size_t r = 0; r < count; ++r) {
      float* target = row.empty() ? f32_.data() + r * in : row.data();
      load_weight_rows(weight_, first + r, 1, target);
      convert(target, in, type_, target, bf16_.data() + r * in);
    }
  }
}

/// A transposed weight stays transposed: memory is read in the order in which it lies.
void WeightTiles::load_columns(std::size_t first, std::size_t count) {
  const std::size_t in = weight_.shape[1];
  const std::size_t element = layout_of(weight_.dtype).block_bytes;
#pragma omp parallel num_threads(threads_)
  {
    std::vector<float> row(type_ == TileType::kBF16 ? count : 0);
#pragma omp for schedule(static)
    for (std::size_t c = 0; c < in; ++c) {
      float* target = row.empty() ? f32_.data() + c * count : row.data();
      dequantize(weight_.dtype, weight_.data + (first + c * weight_.strides[1]) * element, count, target);
      convert(target, count, type_, target, bf16_.data() + c * count);
    }
  }
}

}  // namespace saescope
