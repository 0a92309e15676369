#pragma once

#include <memory>

#include "base/context.h"
#include "ops/backend.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/rope_table.h"
#include "ops/cpu/tiled_linear.h"

namespace saescope {

/// The operators on this machine's processor. Not thread-safe: one at a time, each on all threads.
class CpuBackend final : public Backend {
 public:
  /// @param cancel if given, long operators look at it and throw Interrupted
  explicit CpuBackend(int threads, const CancelToken* cancel = nullptr,
                      const Kernels& kernels = preferred_kernels());

  std::string description() const override;
  std::string numerics(DType dtype) const override;
  std::size_t workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const override {
    return linear_.workspace_bytes(rows, inputs, outputs);
  }
  std::size_t tiles_workspace_bytes(std::size_t rows) const override {
    return linear_.tiles_workspace_bytes(rows);
  }
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

 private:
  /// What multiplies bfloat16 where the processor has units for it.
  std::string bf16_gemm_name() const;

  const Kernels& kernels_;
  int threads_;
  TiledLinear linear_;
  RopeTables rope_tables_;
};

}  // namespace saescope
