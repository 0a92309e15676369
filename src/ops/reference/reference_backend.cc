#include "ops/reference/reference_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "ops/host_array.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

void store(const Array& out, std::size_t row, std::size_t col, double value) {
  if (out.dtype() == DType::kBF16) {
    out.bf16().row(row)[col] = to_bfloat16(static_cast<float>(value));
  } else {
    out.f32().row(row)[col] = static_cast<float>(value);
  }
}

/// Element of a GEMM input.
float load(const Array& x, std::size_t row, std::size_t col) {
  return x.dtype() == DType::kBF16 ? to_float(x.bf16().row(row)[col]) : x.f32().row(row)[col];
}

double gated(GateFunction function, double x) {
  if (function == GateFunction::kSilu) return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

}  // namespace

Array ReferenceBackend::allocate(std::size_t rows, std::size_t cols, DType dtype) {
  return allocate_host_array(rows, cols, dtype);
}
void ReferenceBackend::upload(MatrixView<const float> host, const Array& array) {
  copy_to_array(host, array);
}
void ReferenceBackend::download(const Array& array, MatrixView<float> host) { copy_from_array(array, host); }

void ReferenceBackend::do_embed(const Weight& table, std::span<const int32_t> ids, float scale,
                                const Array& out) {
  for (std::size_t r = 0; r < ids.size(); ++r) {
    float* row = out.f32().row(r);
    load_weight_rows(table, static_cast<std::size_t>(ids[r]), 1, row);
    for (std::size_t c = 0; c < out.cols(); ++c) row[c] *= scale;
  }
}

void ReferenceBackend::do_rms_norm(const Array& x, std::span<const float> weight, float epsilon,
                                   const Array& out, Store mode) {
  for (std::size_t r = 0; r < x.rows(); ++r) {
    for (std::size_t first = 0; first < x.cols(); first += weight.size()) {
      const float* group = x.f32().row(r) + first;
      double sum = 0;
      for (std::size_t c = 0; c < weight.size(); ++c) sum += double{group[c]} * group[c];
      const double scale = 1.0 / std::sqrt(sum / static_cast<double>(weight.size()) + epsilon);
      for (std::size_t c = 0; c < weight.size(); ++c) {
        const double before = mode == Store::kAdd ? out.f32().row(r)[first + c] : 0.0;
        store(out, r, first + c, before + group[c] * scale * weight[c]);
      }
    }
  }
}

void ReferenceBackend::do_linear(const Array& x, const Weight& weight, std::span<const float> bias,
                                 const Array& y, bool accumulate) {
  const bool round = x.dtype() == DType::kBF16;
  std::vector<float> w(x.cols());
  for (std::size_t o = 0; o < y.cols(); ++o) {
    load_weight_rows(weight, o, 1, w.data());
    if (round)
      std::transform(w.begin(), w.end(), w.begin(), [](float v) { return to_float(to_bfloat16(v)); });
    for (std::size_t r = 0; r < x.rows(); ++r) {
      float& result = y.f32().row(r)[o];
      double sum = accumulate ? result : 0.0;
      if (!bias.empty()) sum += bias[o];
      for (std::size_t c = 0; c < x.cols(); ++c) sum += double{load(x, r, c)} * w[c];
      result = static_cast<float>(sum);
    }
  }
}

void ReferenceBackend::do_rope(const Array& x, std::span<const int32_t> positions,
                               const RopeFrequencies& frequencies) {
  const std::size_t half = frequencies.inverse.size();
  const bool interleaved = frequencies.layout == RopeLayout::kInterleaved;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    for (float* head = x.f32().row(r); head != x.f32().row(r) + x.cols(); head += 2 * half) {
      for (std::size_t i = 0; i < half; ++i) {
        // The angle is a float32 product, as in transformers: at large positions its rounding shows.
        const float angle = static_cast<float>(positions[r]) * frequencies.inverse[i];
        const double cosine = std::cos(double{angle}) * frequencies.magnitude;
        const double sine = std::sin(double{angle}) * frequencies.magnitude;
        float& first = head[interleaved ? 2 * i : i];
        float& second = head[interleaved ? 2 * i + 1 : i + half];
        const double a = first;
        const double b = second;
        first = static_cast<float>(a * cosine - b * sine);
        second = static_cast<float>(b * cosine + a * sine);
      }
    }
  }
}

void ReferenceBackend::do_attention(const Array& q, const Array& k, const Array& v,
                                    std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                    const AttentionShape& shape, const Array& out) {
  const std::size_t group = shape.heads / shape.kv_heads;
  for (std::size_t i = 0; i < query_nodes.size(); ++i) {
    std::vector<std::size_t> seen;
    for (int32_t node = query_nodes[i]; node >= 0; node = tree.parent[static_cast<std::size_t>(node)]) {
      if (shape.window != 0 && seen.size() == shape.window) break;
      seen.push_back(static_cast<std::size_t>(node));
    }
    for (std::size_t h = 0; h < shape.heads; ++h) {
      const float* query = q.f32().row(i) + h * shape.head_dim;
      const std::size_t offset = h / group * shape.head_dim;
      std::vector<double> weights;
      for (const std::size_t node : seen) {
        const float* key = k.f32().row(node) + offset;
        double dot = 0;
        for (std::size_t c = 0; c < shape.head_dim; ++c) dot += double{query[c]} * key[c];
        const double score = dot * shape.scale;
        weights.push_back(shape.softcap == 0 ? score : shape.softcap * std::tanh(score / shape.softcap));
      }
      const double top = *std::max_element(weights.begin(), weights.end());
      double total = 0;
      for (double& weight : weights) total += weight = std::exp(weight - top);
      for (std::size_t c = 0; c < shape.head_dim; ++c) {
        double sum = 0;
        for (std::size_t j = 0; j < seen.size(); ++j) sum += weights[j] * v.f32().row(seen[j])[offset + c];
        store(out, i, h * shape.head_dim + c, sum / total);
      }
    }
  }
}

void ReferenceBackend::do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) {
  constexpr std::size_t kTile = 64;
  for (std::size_t first = 0; first < weight.shape[0]; first += kTile) {
    const std::size_t count = std::min<std::size_t>(kTile, weight.shape[0] - first);
    const Array tile = allocate(x.rows(), count, DType::kF32);
    do_linear(x, weight_outputs(weight, first, count), {}, tile, false);
    sink(first, tile.f32());
  }
}

void ReferenceBackend::do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up,
                              GateFunction function, const Array& out) {
  const Array gates = allocate(out.rows(), out.cols(), DType::kF32);
  const Array ups = allocate(out.rows(), out.cols(), DType::kF32);
  do_linear(x, gate.weight, gate.bias, gates, false);
  do_linear(x, up.weight, up.bias, ups, false);
  for (std::size_t r = 0; r < out.rows(); ++r) {
    for (std::size_t c = 0; c < out.cols(); ++c) {
      store(out, r, c, gated(function, gates.f32().row(r)[c]) * ups.f32().row(r)[c]);
    }
  }
}

void ReferenceBackend::do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  const std::size_t bytes = x.cols() * layout_of(x.dtype()).block_bytes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(out.bytes() + i * bytes, x.bytes() + static_cast<std::size_t>(rows[i]) * bytes, bytes);
  }
}

}  // namespace saescope
