#include "ops/encode/encode.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "ops/encode/activation_function.h"
#include "ops/encode/top_k.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

/// Which features a row's k largest are is known only at its end, so all are multiplied, and blocks are
/// rebuilt from the hits.
void encode_top_k(const Array& x, const BoundEncoder& encoder, Backend& backend, const FeatureSink& sink) {
  constexpr std::size_t kBlockFeatures = 512;
  const EncoderParameters& parameters = encoder.parameters;
  const IndexRange features = encoder.features;
  RowTopK top(x.rows(), static_cast<std::size_t>(parameters.k));
  std::mutex adding;
  backend.linear_tiles(x, encoder.weight, [&](std::size_t first, MatrixView<float> block) {
    apply_activation_function(parameters, {.first = first}, block);
    const std::lock_guard lock(adding);
    top.add(first, block);
  });
  std::vector<std::vector<RowTopK::Hit>> hits(x.rows());
  for (std::size_t r = 0; r < hits.size(); ++r) hits[r] = top.take(r);
  std::vector<std::size_t> next(x.rows(), 0);
  Matrix<float> block(x.rows(), std::min(kBlockFeatures, features.size()));
  for (std::size_t first = features.begin; first < features.end; first += block.cols()) {
    const std::size_t count = std::min(block.cols(), features.end - first);
    for (std::size_t r = 0; r < x.rows(); ++r) {
      std::fill_n(block.row(r), block.cols(), 0.0f);
      for (std::size_t& i = next[r]; i < hits[r].size() && hits[r][i].feature < first + count; ++i) {
        if (hits[r][i].feature >= first) block.row(r)[hits[r][i].feature - first] = hits[r][i].activation;
      }
    }
    sink(first, {block.row(0), x.rows(), count, block.cols()});
  }
}

}  // namespace

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

void encode_in_tiles(MatrixView<const float> x, const BoundEncoder& encoder, Backend& backend,
                     const FeatureSink& sink) {
  const EncoderParameters& parameters = encoder.parameters;
  const Array shifted = subtract_input_bias(parameters, x, backend);
  if (parameters.function == ActivationFunction::kTopK) return encode_top_k(shifted, encoder, backend, sink);
  backend.linear_tiles(shifted, encoder.weight, [&](std::size_t tile, MatrixView<float> block) {
    const std::size_t first = encoder.features.begin + tile;
    apply_activation_function(parameters, {.first = first}, block);
    sink(first, block);
  });
}

std::size_t encode_bytes(const EncoderParameters& p, std::size_t rows, const Backend& backend) {
  const std::size_t top_k = p.function == ActivationFunction::kTopK
                                ? rows * static_cast<std::size_t>(p.k) * sizeof(RowTopK::Hit)
                                : std::size_t{0};
  return rows * sizeof(float) * 2 * p.activation_dim + top_k + backend.tiles_workspace_bytes(rows);
}

}  // namespace saescope
