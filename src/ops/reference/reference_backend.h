#pragma once

#include "ops/backend.h"

namespace saescope {

/// Every operator as its textbook definition: one thread, plain loops, sums in double. The yardstick of
/// the tests and of the checks in debug builds.
class ReferenceBackend : public Backend {
 public:
  std::string description() const override { return "reference"; }
  std::string numerics(DType /*dtype*/) const override { return "reference"; }
  std::size_t workspace_bytes(std::size_t, std::size_t, std::size_t) const override { return 0; }
  std::size_t tiles_workspace_bytes(std::size_t) const override { return 0; }
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override;
  void upload(MatrixView<const float> host, const Array& array) override;
  void download(const Array& array, MatrixView<float> host) override;

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
  void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) override;
};

}  // namespace saescope
