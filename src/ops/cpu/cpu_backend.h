#pragma once

#include <memory>

#include "ops/backend.h"
#include "ops/cpu/elementwise.h"
#include "ops/cpu/gemm.h"

namespace saescope {

/// The operators on this machine's processor. Not thread-safe: one at a time, each on all threads.
class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads);

  std::string description() const override;
  std::string numerics() const override;
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override;
  void upload(MatrixView<const float> host, const Array& array) override;
  void download(const Array& array, MatrixView<float> host) override;

 protected:
  void do_embed(const TensorView& table, std::span<const int32_t> ids, const Array& out) override;
  void do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out) override;
  void do_linear(const Array& x, const TensorView& weight, std::span<const float> bias, const Array& y,
                 bool accumulate) override;
  void do_rope(const Array& x, std::span<const int32_t> positions,
               const RopeFrequencies& frequencies) override;
  void do_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                    const TreeTopology& tree, const AttentionShape& shape, const Array& out) override;
  void do_swiglu(const Array& gate, const Array& up, const Array& out) override;
  void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) override;

 private:
  void multiply(const GemmProblem& problem);

  int threads_;
  bool native_bf16_;
  bool invariant_f32_;
  Gemm gemm_;
  RopeTable rope_table_;
};

}  // namespace saescope
