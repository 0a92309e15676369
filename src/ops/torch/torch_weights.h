#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ops/backend.h"
#include "ops/torch/torch_device.h"
#include "ops/weight.h"

namespace saescope {

/// Rows and outputs of every product. A row's bits, and a feature's, may depend on the extents of the product
/// that it is in, so these are fixed, and what is smaller is filled up. (torch's CPU mm differs between 2 and
/// 512 rows.)
struct ProductExtents {
  std::size_t rows;
  std::size_t outputs;  ///< of float32 products; bfloat16 ones have all of the weight's
};

/// What a device keeps of a weight: tiles of its outputs, where memory allows.
struct TorchWeight {
  DType dtype = DType::kF32;  ///< of the activations that they are for
  uint64_t bytes = 0;
  std::vector<TorchTensor> tiles;
};

/// Weights on their way from the mapped files to the device. A tile is converted on this machine's threads
/// into one of two buffers that the device reads by itself, and sent. The device works behind the calls, so
/// the next tile is converted while it computes with this one. Tiles stay on the device while its memory
/// allows.
class TorchWeights {
 public:
  /// @param extents of the products they are for
  /// @param kept_bytes of tiles that stay, at most, on the processor; a GPU keeps a quarter of its memory
  /// free
  TorchWeights(const TorchDevice& device, const ProductExtents& extents, uint64_t kept_bytes, int threads);
  ~TorchWeights();
  TorchWeights(const TorchWeights&) = delete;
  TorchWeights& operator=(const TorchWeights&) = delete;

  /// A weight whose tiles may stay on the device.
  Weight bind(const TensorView& view);

  /// Whether all of a weight's tiles are on the device, for the activations that it was used with last.
  static bool holds(const Weight& weight);

  /// Outputs of one tile of a weight, for products of activations of a dtype.
  std::size_t tile_outputs(const TensorView& weight, DType dtype) const;

  /// Outputs [first, first + tile_outputs) as a matrix [tile_outputs, inputs] of product_type; zeros behind
  /// the last.
  /// @param dtype of the activations: kBF16 rounds to bfloat16 @param first a multiple of tile_outputs
  TorchTensor tile(const Weight& weight, DType dtype, std::size_t first);

  /// What is multiplied for activations of a dtype: bfloat16 only where the device sums its products in
  /// float32; else the rounded values in float32.
  DType product_type(DType dtype) const { return dtype == DType::kBF16 && has_bf16_ ? dtype : DType::kF32; }

  /// Gives the tiles back that stayed; none stay from now on.
  void stop_keeping();

  /// Does what may run out of memory, and once more without the tiles that stayed where it did.
  template <typename Work>
  auto with_room(const Work& work) -> decltype(work()) {
    try {
      return work();
    } catch (const OutOfDeviceMemory&) {
      stop_keeping();
    }
    return work();
  }

 private:
  struct Staging {
    TorchTensor memory;
    std::size_t elements = 0;
    DType dtype = DType::kF32;
    DeviceMark sent;  ///< behind the copy that reads it
  };
  TorchTensor load(const TensorView& weight, DType dtype, std::size_t first);
  Staging& next_staging(std::size_t elements, DType dtype);
  bool may_keep(uint64_t bytes) const;
  void drop_tiles(TorchWeight& weight);

  const TorchDevice& device_;
  ProductExtents extents_;
  int threads_;
  bool has_bf16_;
  bool keeps_ = true;
  uint64_t kept_limit_;
  uint64_t kept_ = 0;
  uint64_t reserve_;
  std::vector<std::weak_ptr<TorchWeight>> known_;
  std::array<Staging, 2> staging_;
  std::size_t turn_ = 0;
};

}  // namespace saescope
