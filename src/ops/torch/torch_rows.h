#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "ops/backend.h"
#include "ops/cpu/rope_table.h"
#include "ops/torch/torch_device.h"

namespace saescope {

/// Vectors of a model (norms' factors, biases) on the device, which are sent once.
class TorchVectors {
 public:
  explicit TorchVectors(const TorchDevice& device) : device_(device) {}
  /// [values] on the device; the same one for the same numbers.
  const TorchTensor& find(std::span<const float> values);

 private:
  struct Sent {
    std::vector<float> values;
    TorchTensor tensor;
  };
  const TorchDevice& device_;
  std::unordered_multimap<std::size_t, Sent> sent_;  ///< by hash
};

/// Cosines and sines of RopeTables on the device.
class TorchRope {
 public:
  explicit TorchRope(const TorchDevice& device) : device_(device) {}
  /// Backend::rope.
  void rotate(const Array& x, std::span<const int32_t> positions, const RopeFrequencies& frequencies);

 private:
  struct Table {
    std::vector<float> inverse;
    float magnitude = 1;
    int64_t positions = 0;
    TorchTensor cosine, sine;  // [positions, head_dim / 2]
  };
  const Table& find(const RopeFrequencies& frequencies, int32_t max_position);

  const TorchDevice& device_;
  RopeTables tables_;
  std::vector<Table> sent_;
};

/// What rms_norm is given besides x and out.
struct NormTerms {
  const TorchTensor& factors;  ///< [d]
  float epsilon;
  Store store;
};

/// Backend::rms_norm in pieces of `piece` rows, the last one filled up: how a row is summed depends on their
/// number.
void torch_rms_norm(const TorchDevice& device, const Array& x, const NormTerms& terms, std::size_t d,
                    std::size_t piece, const Array& out);

/// An array as a tensor.
TorchTensor tensor_of(const TorchDevice& device, const Array& array);

}  // namespace saescope
