#include "sae/encoder.h"

#include <algorithm>

#include "ops/weight_rows.h"
#include "sae/activation_function.h"
#include "sae/top_k.h"

namespace saescope {
namespace {

// The block's activations (rows × 1024 floats) should stay in the last-level cache between the GEMM, the
// activation function and the statistics.
constexpr std::size_t kBlockFeatures = 1024;

/// Rows [first, first + count) of the weight as a view.
TensorView feature_rows(const TensorView& weight, std::size_t first, std::size_t count) {
  TensorView view = weight;
  view.shape[0] = count;
  view.data += first * weight.strides[0] * layout_of(weight.dtype).block_bytes;
  return view;
}

}  // namespace

Encoder::Encoder(const EncoderParameters& parameters, Backend& backend, const Context& context)
    : parameters_(parameters), backend_(backend), context_(context) {}

std::size_t Encoder::bytes_for(const EncoderParameters& p, std::size_t rows) {
  const std::size_t top_k = p.function == ActivationFunction::kTopK
                                ? static_cast<std::size_t>(p.k) * sizeof(RowTopK::Hit)
                                : std::size_t{0};
  return rows * (sizeof(float) * (p.activation_dim + kBlockFeatures) + top_k);
}

Array Encoder::subtract_input_bias(MatrixView<const float> x) {
  Matrix<float> shifted(x.rows, x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.cols; ++c) {
      shifted.row(r)[c] =
          parameters_.input_bias.empty() ? x.row(r)[c] : x.row(r)[c] - parameters_.input_bias[c];
    }
  }
  Array array = backend_.allocate(x.rows, x.cols, DType::kF32);
  backend_.upload(shifted.view(), array);
  return array;
}

void Encoder::for_each_dense_block(const Array& x, const FeatureSink& sink) {
  const std::size_t block = std::min(kBlockFeatures, parameters_.dict_size);
  Buffer<float> host(x.rows() * block);
  for (std::size_t first = 0; first < parameters_.dict_size; first += block) {
    context_.cancel->check();
    const std::size_t count = std::min(block, parameters_.dict_size - first);
    const Array y = backend_.allocate(x.rows(), count, DType::kF32);
    backend_.linear(x, feature_rows(parameters_.weight, first, count), {}, y, false);
    const MatrixView<float> activations = {host.data(), x.rows(), count, count};
    backend_.download(y, activations);
    apply_activation_function(parameters_, {.first = first}, activations, context_.threads);
    sink(first, activations);
  }
}

void Encoder::encode(MatrixView<const float> x, const FeatureSink& sink) {
  if (x.rows == 0) return;
  const Array shifted = subtract_input_bias(x);
  if (parameters_.function == ActivationFunction::kTopK) return encode_top_k(shifted, sink);
  for_each_dense_block(shifted, sink);
}

/// A row's k largest are known only at its end, so blocks are rebuilt from the hits.
void Encoder::encode_top_k(const Array& x, const FeatureSink& sink) {
  RowTopK top(x.rows(), static_cast<std::size_t>(parameters_.k));
  for_each_dense_block(x, [&](std::size_t first, MatrixView<const float> block) { top.add(first, block); });
  std::vector<std::vector<RowTopK::Hit>> hits(x.rows());
  for (std::size_t r = 0; r < hits.size(); ++r) hits[r] = top.take(r);
  std::vector<std::size_t> next(x.rows(), 0);
  Matrix<float> block(x.rows(), std::min(kBlockFeatures, parameters_.dict_size));
  for (std::size_t first = 0; first < parameters_.dict_size; first += block.cols()) {
    const std::size_t count = std::min(block.cols(), parameters_.dict_size - first);
    for (std::size_t r = 0; r < x.rows(); ++r) {
      std::fill_n(block.row(r), block.cols(), 0.0f);
      for (std::size_t& i = next[r]; i < hits[r].size() && hits[r][i].feature < first + count; ++i) {
        block.row(r)[hits[r][i].feature - first] = hits[r][i].activation;
      }
    }
    sink(first, {block.row(0), x.rows(), count, block.cols()});
  }
}

Matrix<float> Encoder::encode_features(MatrixView<const float> x, std::span<const int64_t> features) {
  Matrix<float> result(x.rows, features.size());
  if (x.rows == 0 || features.empty()) return result;
  if (parameters_.function == ActivationFunction::kTopK) {
    encode(x, [&](std::size_t first, MatrixView<const float> block) {
      for (std::size_t i = 0; i < features.size(); ++i) {
        const auto feature = static_cast<std::size_t>(features[i]);
        if (feature < first || feature >= first + block.cols) continue;
        for (std::size_t r = 0; r < x.rows; ++r) result.row(r)[i] = block.row(r)[feature - first];
      }
    });
    return result;
  }
  const std::size_t d = parameters_.activation_dim;
  Buffer<float> rows(features.size() * d);
  for (std::size_t i = 0; i < features.size(); ++i) {
    load_weight_rows(parameters_.weight, static_cast<std::size_t>(features[i]), 1, rows.data() + i * d);
  }
  const TensorView gathered{
      DType::kF32, {features.size(), d}, {d, 1}, reinterpret_cast<const std::byte*>(rows.data())};
  const Array y = backend_.allocate(x.rows, features.size(), DType::kF32);
  backend_.linear(subtract_input_bias(x), gathered, {}, y, false);
  backend_.download(y, result.view());
  apply_activation_function(parameters_, {.ids = features.data()}, result.view(), context_.threads);
  return result;
}

}  // namespace saescope
