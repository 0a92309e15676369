#pragma once

#include <memory>

#include "ops/backend.h"
#include "ops/reference/reference_backend.h"

namespace saescope {

/// Another backend whose every result is compared with ReferenceBackend, on a sample of rows and outputs:
/// what debug builds compute with. A difference beyond rounding throws std::logic_error that names operator
/// and element. Precondition: the other backend's arrays lie in host memory.
class CheckedBackend final : public Backend {
 public:
  explicit CheckedBackend(std::unique_ptr<Backend> checked) : checked_(std::move(checked)) {}

  std::string description() const override {
    return checked_->description() + ", checked against the reference";
  }
  std::string numerics(DType dtype) const override { return checked_->numerics(dtype); }
  std::size_t workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const override {
    return checked_->workspace_bytes(rows, inputs, outputs);
  }
  std::size_t tiles_workspace_bytes(std::size_t rows) const override {
    return checked_->tiles_workspace_bytes(rows);
  }
  Weight bind(const TensorView& view) override { return checked_->bind(view); }
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override {
    return checked_->allocate(rows, cols, dtype);
  }
  void upload(MatrixView<const float> host, const Array& array) override { checked_->upload(host, array); }
  void download(const Array& array, MatrixView<float> host) override { checked_->download(array, host); }

 protected:
  void do_embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) override;
  void do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                   Store store) override;
  void do_linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                 bool accumulate) override;
  void do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) override;
  void do_rope(const Array& x, std::span<const int32_t> positions,
               const RopeFrequencies& frequencies) override;
  void do_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                    const TreeTopology& tree, const AttentionShape& shape, const Array& out) override;
  void do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
              const Array& out) override;
  void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) override;

 private:
  std::unique_ptr<Backend> checked_;
  ReferenceBackend reference_;
};

}  // namespace saescope
