#include "ops/cpu/cpu_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ops/cpu/elementwise.h"
#include "ops/cpu/tree_attention.h"
#include "ops/host_array.h"
#include "ops/weight_rows.h"

namespace saescope {

CpuBackend::CpuBackend(int threads, const CancelToken* cancel, const Kernels& kernels)
    : kernels_(kernels), threads_(threads), linear_(kernels, threads, cancel) {}

std::string CpuBackend::description() const {
  return fmt::format(
      "cpu, {} kernels, {}{}, {} thread{}", kernels_.name, bf16_gemm_name(),
      linear_.has_native_bf16() ? "" : " (no bfloat16 unit: bf16 values are multiplied in float32)", threads_,
      threads_ == 1 ? "" : "s");
}

std::string CpuBackend::bf16_gemm_name() const {
  return kernels_.bf16_gemm != nullptr ? kAmxNumerics : Bf16Gemm::description();
}

/// All of Kernels give the same bits in float32; AMX, oneDNN's versions and its instruction sets do not.
std::string CpuBackend::numerics(DType dtype) const {
  if (dtype == DType::kF32) return fmt::format("cpu, {}", kKernelNumerics);
  return fmt::format("cpu, {}, {}", kKernelNumerics,
                     linear_.has_native_bf16() ? bf16_gemm_name() : "bf16 values in float32");
}

Array CpuBackend::allocate(std::size_t rows, std::size_t cols, DType dtype) {
  return allocate_host_array(rows, cols, dtype);
}
void CpuBackend::upload(MatrixView<const float> host, const Array& array) { copy_to_array(host, array); }
void CpuBackend::download(const Array& array, MatrixView<float> host) { copy_from_array(array, host); }

void CpuBackend::do_embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) {
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (std::size_t r = 0; r < ids.size(); ++r) {
    float* row = out.f32().row(r);
    load_weight_rows(table, static_cast<std::size_t>(ids[r]), 1, row);
    if (scale != 1) std::transform(row, row + out.cols(), row, [&](float value) { return value * scale; });
  }
}

void CpuBackend::do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                             Store store) {
  cpu_rms_norm(kernels_, x, weight, epsilon, out, store, threads_);
}

void CpuBackend::do_linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                           bool accumulate) {
  linear_.linear(x, {weight, bias}, y, accumulate);
}

void CpuBackend::do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) {
  linear_.linear_tiles(x, weight, sink);
}

void CpuBackend::do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up,
                        GateFunction function, const Array& out) {
  linear_.glu(x, gate, up, function, out);
}

void CpuBackend::do_rope(const Array& x, std::span<const int32_t> positions,
                         const RopeFrequencies& frequencies) {
  if (positions.empty()) return;
  const RopeTable& table =
      rope_tables_.find(frequencies, *std::max_element(positions.begin(), positions.end()));
  cpu_rope(kernels_, x, positions, frequencies.layout, table, frequencies.inverse.size(), threads_);
}

void CpuBackend::do_attention(const Array& q, const Array& k, const Array& v,
                              std::span<const int32_t> query_nodes, const TreeTopology& tree,
                              const AttentionShape& shape, const Array& out) {
  cpu_tree_attention(kernels_, q, k, v, query_nodes, tree, shape, out, threads_);
}

void CpuBackend::do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  const std::size_t bytes = x.cols() * layout_of(x.dtype()).block_bytes;
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(out.bytes() + i * bytes, x.bytes() + static_cast<std::size_t>(rows[i]) * bytes, bytes);
  }
}

}  // namespace saescope
