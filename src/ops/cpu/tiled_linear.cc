#include "ops/cpu/tiled_linear.h"

#include <algorithm>

#include "ops/cpu/elementwise.h"
#include "ops/cpu/grow_buffer.h"
#include "ops/cpu/run_tasks.h"

namespace saescope {
namespace {

// oneDNN packs a tile's weights before it multiplies: the more rows, the less that shows. From 1024 outputs ×
// 1024 rows on its rate is within a few percent of its best, and a tile's float32 result (4 MiB) still fits
// the last-level cache.
constexpr std::size_t kTileOutputs = 1024;
constexpr std::size_t kMostRows = 2048;
constexpr std::size_t kMostGatedRows = 1024;
constexpr std::size_t kFewestRows = 256;
// Float32 weights of an SAE need narrower tiles for the same cache.
constexpr std::size_t kStreamedOutputs = 512;
constexpr std::size_t kTasksPerThread = 4;  // so that threads end at about the same time

std::size_t cut_evenly(std::size_t size, std::size_t parts, std::size_t multiple) {
  const std::size_t part = (size + parts - 1) / parts;
  return (part + multiple - 1) / multiple * multiple;
}

/// Depends on the weight alone, so that a row's bits cannot depend on other rows or on threads.
std::size_t choose_tile_outputs(std::size_t outputs) {
  const std::size_t parts = outputs < kTileOutputs ? 1 : std::max<std::size_t>(2, outputs / kTileOutputs);
  return cut_evenly(outputs, parts, 64);
}

std::size_t choose_tile_rows(std::size_t rows, std::size_t tiles_of_outputs, std::size_t most, int threads) {
  const std::size_t wanted_tasks = kTasksPerThread * static_cast<std::size_t>(threads);
  std::size_t parts = (rows + most - 1) / most;
  while (parts * tiles_of_outputs < wanted_tasks && rows / (parts + 1) >= kFewestRows) ++parts;
  return cut_evenly(rows, parts, 16);
}

std::size_t parts_of(std::size_t size, std::size_t part) { return (size + part - 1) / part; }

/// Rows a little further apart than they are long: oneDNN then takes the implementation that was the faster
/// one in measurements, as it does for a tile within a larger matrix, and rows do not share a set of the
/// cache.
MatrixView<float> grow_tile(Buffer<float>& buffer, std::size_t rows, std::size_t cols) {
  const std::size_t stride = cols + 16;
  grow_buffer(buffer, rows * stride);
  return {buffer.data(), rows, cols, stride};
}

}  // namespace

TiledLinear::TiledLinear(const Kernels& kernels, int threads, const CancelToken* cancel)
    : kernels_(kernels),
      threads_(threads),
      cancel_(cancel),
      native_bf16_(kernels.bf16_gemm != nullptr || Bf16Gemm::is_available()),
      workers_(static_cast<std::size_t>(threads)) {}

std::size_t TiledLinear::workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const {
  const std::size_t tile_outputs = choose_tile_outputs(outputs);
  const std::size_t results = 2 * std::min(rows, kMostGatedRows) * tile_outputs * sizeof(float);
  const std::size_t converted_weights = 2 * tile_outputs * inputs * sizeof(BFloat16);
  const std::size_t packed =
      kernels_.bf16_gemm == nullptr ? 0 : amx_workspace_bytes(rows, tile_outputs, inputs);
  return static_cast<std::size_t>(threads_) * (results + converted_weights + packed);
}

std::size_t TiledLinear::tiles_workspace_bytes(std::size_t rows) const {
  return static_cast<std::size_t>(threads_) * rows * kStreamedOutputs * sizeof(float);
}

TileType TiledLinear::tile_type(const Array& x) const {
  if (x.dtype() == DType::kF32) return TileType::kF32;
  return native_bf16_ ? TileType::kBF16 : TileType::kF32RoundedToBF16;
}

/// y = the tile's rows of x times its outputs of the layer. Processors without bfloat16 units multiply the
/// same values in float32.
void TiledLinear::multiply(Worker& worker, WeightTiles& weights, const Array& x, const LinearWeight& layer,
                           const Tile& tile, MatrixView<float> y, bool accumulate) const {
  const TileType type = tile_type(x);
  const WeightTile b = weights.load(layer.weight, type, tile.first_output, tile.outputs);
  const Array rows = x.row_range(tile.first_row, tile.rows);
  const auto fill = [&]<typename A, typename B>(const A* a, const B* b_data) {
    GemmProblem<A, B> problem;
    problem.m = tile.rows;
    problem.n = tile.outputs;
    problem.k = x.cols();
    problem.a = a;
    problem.lda = x.cols();
    problem.b = b_data;
    problem.ldb = b.ld;
    problem.b_rows_are_outputs = b.rows_are_outputs;
    problem.bias = layer.bias.empty() ? nullptr : layer.bias.data() + tile.first_output;
    problem.c = y.data;
    problem.ldc = y.stride;
    problem.accumulate = accumulate;
    return problem;
  };
  switch (type) {
    case TileType::kBF16: {
      const auto problem = fill(rows.bf16().data, static_cast<const BFloat16*>(b.data));
      if (kernels_.bf16_gemm != nullptr) return kernels_.bf16_gemm(problem, worker.amx_gemm);
      return worker.bf16_gemm.run(problem);
    }
    case TileType::kF32:
      return kernels_.f32_gemm(fill(rows.f32().data, static_cast<const float*>(b.data)), worker.f32_gemm);
    case TileType::kF32RoundedToBF16:
      return kernels_.f32_gemm_of_bf16(fill(rows.bf16().data, static_cast<const float*>(b.data)),
                                       worker.f32_gemm);
  }
}

/// Neighbouring tasks share a tile of the weight: one of them brings it into the cache for all.
template <typename Task>
void TiledLinear::for_each_tile(std::size_t rows, std::size_t outputs, std::size_t tile_rows,
                                std::size_t tile_outputs, const Task& task) {
  for (Worker& worker : workers_) {
    worker.weights.forget();
    worker.more_weights.forget();
  }
  const std::size_t parts = parts_of(rows, tile_rows);
  run_tasks(threads_, parts * parts_of(outputs, tile_outputs), [&](std::size_t worker, std::size_t index) {
    if (cancel_ != nullptr) cancel_->check();
    const std::size_t row = index % parts * tile_rows;
    const std::size_t output = index / parts * tile_outputs;
    task(workers_[worker],
         Tile{row, std::min(tile_rows, rows - row), output, std::min(tile_outputs, outputs - output)});
  });
}

void TiledLinear::linear(const Array& x, const LinearWeight& layer, const Array& y, bool accumulate) {
  const std::size_t tile_outputs = choose_tile_outputs(y.cols());
  const std::size_t tile_rows =
      choose_tile_rows(x.rows(), parts_of(y.cols(), tile_outputs), kMostRows, threads_);
  for_each_tile(x.rows(), y.cols(), tile_rows, tile_outputs, [&](Worker& worker, const Tile& tile) {
    const MatrixView<float> part = {y.f32().row(tile.first_row) + tile.first_output, tile.rows, tile.outputs,
                                    y.cols()};
    multiply(worker, worker.weights, x, layer, tile, part, accumulate);
  });
}

void TiledLinear::linear_tiles(const Array& x, const TensorView& weight, const TileSink& sink) {
  for_each_tile(x.rows(), weight.shape[0], x.rows(), kStreamedOutputs, [&](Worker& worker, const Tile& tile) {
    const MatrixView<float> y = grow_tile(worker.tile, tile.rows, tile.outputs);
    multiply(worker, worker.weights, x, {weight, {}}, tile, y, false);
    sink(tile.first_output, y);
  });
}

void TiledLinear::glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
                      const Array& out) {
  const std::size_t tile_outputs = choose_tile_outputs(out.cols());
  const std::size_t tile_rows =
      choose_tile_rows(x.rows(), parts_of(out.cols(), tile_outputs), kMostGatedRows, threads_);
  for_each_tile(x.rows(), out.cols(), tile_rows, tile_outputs, [&](Worker& worker, const Tile& tile) {
    const MatrixView<float> gates = grow_tile(worker.tile, tile.rows, tile.outputs);
    const MatrixView<float> ups = grow_tile(worker.more_tile, tile.rows, tile.outputs);
    multiply(worker, worker.weights, x, gate, tile, gates, false);
    multiply(worker, worker.more_weights, x, up, tile, ups, false);
    cpu_glu(kernels_, function, gates, ups, out.row_range(tile.first_row, tile.rows), tile.first_output);
  });
}

}  // namespace saescope
