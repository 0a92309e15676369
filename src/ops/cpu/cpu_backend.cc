#include "ops/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "ops/cpu/portable_gemm.h"
#include "ops/cpu/tree_attention.h"
#include "ops/cpu/weight_tiles.h"
#include "ops/host_array.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

/// Mapped tensors lie where the file puts them; the GEMM reads elements, so they must be aligned.
bool is_aligned(const TensorView& view) {
  return reinterpret_cast<uintptr_t>(view.data) % layout_of(view.dtype).block_bytes == 0;
}

}  // namespace

CpuBackend::CpuBackend(int threads)
    : threads_(threads), native_bf16_(Gemm::has_native_bf16()), invariant_f32_(Gemm::has_invariant_f32()) {
  omp_set_num_threads(threads);  // oneDNN takes its number of threads from OpenMP
}

std::string CpuBackend::description() const {
  return fmt::format("cpu, {}{}{}, {} thread{}", Gemm::description(),
                     native_bf16_ ? "" : " (no bfloat16 unit: bf16 values are multiplied in float32)",
                     invariant_f32_ ? "" : " (float32 GEMM of our own)", threads_, threads_ == 1 ? "" : "s");
}

std::string CpuBackend::numerics() const { return "cpu, " + Gemm::description(); }

Array CpuBackend::allocate(std::size_t rows, std::size_t cols, DType dtype) {
  return allocate_host_array(rows, cols, dtype);
}
void CpuBackend::upload(MatrixView<const float> host, const Array& array) { copy_rows(host, array.f32()); }
void CpuBackend::download(const Array& array, MatrixView<float> host) { copy_rows(array.f32(), host); }

void CpuBackend::do_embed(const TensorView& table, std::span<const int32_t> ids, const Array& out) {
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (std::size_t r = 0; r < ids.size(); ++r) {
    load_weight_rows(table, static_cast<std::size_t>(ids[r]), 1, out.f32().row(r));
  }
}

void CpuBackend::do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out) {
  cpu_rms_norm(x, weight, epsilon, out, threads_);
}

void CpuBackend::multiply(const GemmProblem& problem) {
  if (problem.type == DType::kBF16 || invariant_f32_) {
    gemm_.run(problem);
  } else {
    portable_gemm(problem, threads_);
  }
}

void CpuBackend::do_linear(const Array& x, const TensorView& weight, std::span<const float> bias,
                           const Array& y, bool accumulate) {
  const bool wants_bf16 = x.dtype() == DType::kBF16;
  const bool in_bf16 = wants_bf16 && native_bf16_;
  Array input = x;
  if (wants_bf16 && !in_bf16) {
    input = allocate(x.rows(), x.cols(), DType::kF32);
    std::transform(x.bf16().data, x.bf16().data + x.rows() * x.cols(), input.f32().data,
                   [](BFloat16 v) { return to_float(v); });
  }
  GemmProblem problem;
  problem.type = input.dtype();
  problem.m = x.rows();
  problem.k = x.cols();
  problem.a = input.bytes();
  problem.lda = x.cols();
  problem.ldc = y.cols();
  problem.accumulate = accumulate;

  if (weight.dtype == problem.type && (in_bf16 || !wants_bf16) && is_aligned(weight)) {
    problem.n = y.cols();
    problem.b = weight.data;
    problem.b_rows_are_outputs = weight.strides[1] == 1;
    problem.ldb = problem.b_rows_are_outputs ? weight.strides[0] : weight.strides[1];
    problem.bias = bias.empty() ? nullptr : bias.data();
    problem.c = y.f32().data;
    multiply(problem);
    return;
  }
  const TileType type = in_bf16 ? TileType::kBF16 : wants_bf16 ? TileType::kF32RoundedToBF16 : TileType::kF32;
  WeightTiles tiles(weight, type, threads_);
  for (std::size_t first = 0; first < y.cols(); first += tiles.tile_outputs()) {
    problem.n = std::min(tiles.tile_outputs(), y.cols() - first);
    const WeightTile tile = tiles.load(first, problem.n);
    problem.b = tile.data;
    problem.ldb = tile.ld;
    problem.b_rows_are_outputs = tile.rows_are_outputs;
    problem.bias = bias.empty() ? nullptr : bias.data() + first;
    problem.c = y.f32().data + first;
    multiply(problem);
  }
}

void CpuBackend::do_rope(const Array& x, std::span<const int32_t> positions,
                         const RopeFrequencies& frequencies) {
  if (positions.empty()) return;
  rope_table_.prepare(frequencies, *std::max_element(positions.begin(), positions.end()));
  cpu_rope(x, positions, frequencies.layout, rope_table_, frequencies.inverse.size(), threads_);
}

void CpuBackend::do_attention(const Array& q, const Array& k, const Array& v,
                              std::span<const int32_t> query_nodes, const TreeTopology& tree,
                              const AttentionShape& shape, const Array& out) {
  cpu_tree_attention(q, k, v, query_nodes, tree, shape, out, threads_);
}

void CpuBackend::do_swiglu(const Array& gate, const Array& up, const Array& out) {
  cpu_swiglu(gate, up, out, threads_);
}

void CpuBackend::do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  const std::size_t bytes = x.cols() * layout_of(x.dtype()).block_bytes;
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(out.bytes() + i * bytes, x.bytes() + static_cast<std::size_t>(rows[i]) * bytes, bytes);
  }
}

}  // namespace saescope
