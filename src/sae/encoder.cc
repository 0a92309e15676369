#include "sae/encoder.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "sae/activation_function.h"
#include "sae/top_k.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

constexpr std::size_t kBlockFeatures = 512;

}  // namespace

Encoder::Encoder(const EncoderParameters& parameters, Backend& backend, const Context& context)
    : parameters_(parameters), backend_(backend), context_(context) {}

std::size_t Encoder::bytes_for(const EncoderParameters& p, std::size_t rows, int threads) {
  const std::size_t top_k = p.function == ActivationFunction::kTopK
                                ? static_cast<std::size_t>(p.k) * sizeof(RowTopK::Hit)
                                : std::size_t{0};
  const std::size_t blocks = static_cast<std::size_t>(threads) * kBlockFeatures;
  return rows * (sizeof(float) * (2 * p.activation_dim + blocks) + top_k);
}

Array subtract_input_bias(const EncoderParameters& parameters, MatrixView<const float> x, Backend& backend) {
  Matrix<float> shifted(x.rows, x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.cols; ++c) {
      shifted.row(r)[c] =
          parameters.input_bias.empty() ? x.row(r)[c] : x.row(r)[c] - parameters.input_bias[c];
    }
  }
  Array array = backend.allocate(x.rows, x.cols, DType::kF32);
  backend.upload(shifted.view(), array);
  return array;
}

void Encoder::encode(MatrixView<const float> x, const FeatureSink& sink) {
  if (x.rows == 0) return;
  const Array shifted = subtract_input_bias(parameters_, x, backend_);
  if (parameters_.function == ActivationFunction::kTopK) return encode_top_k(shifted, sink);
  backend_.linear_tiles(shifted, parameters_.weight, [&](std::size_t first, MatrixView<float> block) {
    context_.cancel->check();
    apply_activation_function(parameters_, {.first = first}, block);
    sink(first, block);
  });
}

/// A row's k largest are known only at its end, so blocks are rebuilt from the hits.
void Encoder::encode_top_k(const Array& x, const FeatureSink& sink) {
  RowTopK top(x.rows(), static_cast<std::size_t>(parameters_.k));
  std::mutex adding;
  backend_.linear_tiles(x, parameters_.weight, [&](std::size_t first, MatrixView<float> block) {
    context_.cancel->check();
    apply_activation_function(parameters_, {.first = first}, block);
    const std::lock_guard lock(adding);
    top.add(first, block);
  });
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

}  // namespace saescope
