#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ops/backend.h"
#include "ops/torch/torch_device.h"
#include "ops/torch/torch_products.h"
#include "ops/torch/torch_rows.h"
#include "ops/torch/torch_weights.h"

namespace saescope {

/// The operators on a device of PyTorch: a GPU, or the processor as a stand-in for tests. It calls PyTorch's
/// operators through its stable C interface. Not thread-safe. Arrays must not outlive it.
class TorchBackend final : public Backend {
 public:
  /// @param threads that convert weights, look at activations, and compute where the device is the processor
  /// @param kept_bytes of weights that stay in the processor's memory as the device's; a GPU's memory is
  /// measured
  /// @throws InputError where there is no such device
  TorchBackend(const TorchLibrary& library, TorchDeviceName device, int threads,
               uint64_t kept_bytes = kUsuallyKept);

  std::string description() const override;
  std::string numerics(DType dtype) const override;
  std::size_t workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const override;
  std::size_t tiles_workspace_bytes(std::size_t rows) const override;
  std::optional<uint64_t> device_bytes() const override;
  void save_memory() override { weights_.stop_keeping(); }
  Weight bind(const TensorView& view) override { return weights_.bind(view); }
  bool holds(const Weight& weight) const override { return TorchWeights::holds(weight); }
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override;
  void upload(MatrixView<const float> host, const Array& array) override;
  void download(const Array& array, MatrixView<float> host) override;

  /// Says in `numerics` and `description` that a row's bits depend on the others: what a check found.
  void note_dependent_rows() { rows_are_apart_ = false; }

  static constexpr uint64_t kUsuallyKept = uint64_t{1} << 30;

 protected:
  void do_embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) override;
  void do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                   Store store) override;
  void do_linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                 bool accumulate) override;
  void do_rope(const Array& x, std::span<const int32_t> positions,
               const RopeFrequencies& frequencies) override;
  void do_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                    const TreeTopology& tree, const AttentionShape& shape, const Array& out) override;
  void do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) override;
  void do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
              const Array& out) override;
  void do_encode(MatrixView<const float> x, const BoundEncoder& encoder, const FeatureSink& sink) override;
  void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) override;

 private:
  TorchTensor with_bias(const ProductPiece& piece, std::size_t weight, std::span<const float> bias);

  TorchDevice device_;
  int threads_;
  ProductExtents extents_;
  TorchWeights weights_;
  TorchVectors vectors_;
  TorchRope rope_;
  bool rows_are_apart_ = true;
};

}  // namespace saescope
