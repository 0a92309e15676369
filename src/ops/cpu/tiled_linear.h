#pragma once

#include <cstddef>
#include <deque>

#include "base/context.h"
#include "ops/backend.h"
#include "ops/cpu/bf16_gemm.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/weight_tiles.h"

namespace saescope {

/// Linear layers on the CPU, cut into tiles of rows × outputs. Each tile is one single-threaded GEMM; threads
/// take the next tile when they are free. What follows a layer at once (the gating of an MLP, an SAE's
/// activation function) is done with the tile while it is in the cache. Not thread-safe.
class TiledLinear {
 public:
  /// @param cancel looked at before each tile; may be null
  TiledLinear(const Kernels& kernels, int threads, const CancelToken* cancel);

  /// Backend::linear, linear_tiles and glu.
  void linear(const Array& x, const LinearWeight& layer, const Array& y, bool accumulate);
  void linear_tiles(const Array& x, const TensorView& weight, const TileSink& sink);
  void glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
           const Array& out);

  /// Backend::workspace_bytes.
  std::size_t workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const;

  /// Backend::tiles_workspace_bytes.
  std::size_t tiles_workspace_bytes(std::size_t rows) const;

  bool has_native_bf16() const { return native_bf16_; }

 private:
  /// What one thread works in.
  struct Worker {
    Bf16Gemm bf16_gemm;
    AmxGemmWorkspace amx_gemm;
    F32GemmWorkspace f32_gemm;
    WeightTiles weights;
    WeightTiles more_weights;  ///< of `up` where `weights` holds `gate`
    Buffer<float> tile;
    Buffer<float> more_tile;
  };
  /// A product's rows and outputs that are computed as one.
  struct Tile {
    std::size_t first_row, rows;
    std::size_t first_output, outputs;
  };

  TileType tile_type(const Array& x) const;
  void multiply(Worker& worker, WeightTiles& weights, const Array& x, const LinearWeight& layer,
                const Tile& tile, MatrixView<float> y, bool accumulate) const;
  template <typename Task>
  void for_each_tile(std::size_t rows, std::size_t outputs, std::size_t tile_rows, std::size_t tile_outputs,
                     const Task& task);

  const Kernels& kernels_;
  int threads_;
  const CancelToken* cancel_;
  bool native_bf16_;
  std::deque<Worker> workers_;  ///< one for each thread
};

}  // namespace saescope
