#include "ops/encode/encode.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <vector>

#include "ops/encode/activation_function.h"
#include "ops/encode/top_k.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

/// Which features a row keeps is known only at its end, so all are multiplied, and blocks are rebuilt from
/// the hits.
template <typename RowChoice>
void encode_whole_rows(const Array& x, const BoundEncoder& encoder, Backend& backend, const FeatureSink& sink,
                       RowChoice choice) {
  constexpr std::size_t kBlockFeatures = 512;
  const EncoderParameters& parameters = encoder.parameters;
  const IndexRange features = encoder.features;
  std::mutex adding;
  backend.linear_tiles(x, encoder.weight, [&](std::size_t first, MatrixView<float> block) {
    apply_activation_function(parameters, {.first = first}, block);
    const std::lock_guard lock(adding);
    choice.add(first, block);
  });
  std::vector<std::vector<RowHit>> hits(x.rows());
  for (std::size_t r = 0; r < hits.size(); ++r) hits[r] = choice.take(r);
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

/// In double, so that the order of the sums does not show. A row of zeros, or of one number, has no norm:
/// what it becomes is no number, which encoding reports.
void normalise(InputNorm norm, float* row, std::size_t size) {
  if (norm == InputNorm::kNone) return;
  const auto count = static_cast<double>(size);
  double mean = 0;
  if (norm == InputNorm::kLayerNorm) mean = std::accumulate(row, row + size, 0.0) / count;
  double squares = 0;
  for (std::size_t c = 0; c < size; ++c) squares += (row[c] - mean) * (row[c] - mean);
  constexpr double kEpsilon = 1e-5;
  const double scale = norm == InputNorm::kLayerNorm ? 1 / (std::sqrt(squares / (count - 1)) + kEpsilon)
                                                     : std::sqrt(count / squares);
  for (std::size_t c = 0; c < size; ++c) row[c] = static_cast<float>((row[c] - mean) * scale);
}

}  // namespace

Array prepare_input(const EncoderParameters& parameters, MatrixView<const float> x, Backend& backend) {
  Matrix<float> prepared(x.rows, x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    float* const row = prepared.row(r);
    std::copy_n(x.row(r), x.cols, row);
    normalise(parameters.input_norm, row, x.cols);
    if (parameters.input_bias.empty()) continue;
    for (std::size_t c = 0; c < x.cols; ++c) row[c] -= parameters.input_bias[c];
  }
  Array array = backend.allocate(x.rows, x.cols, DType::kF32);
  backend.upload(prepared.view(), array);
  return array;
}

void encode_in_tiles(MatrixView<const float> x, const BoundEncoder& encoder, Backend& backend,
                     const FeatureSink& sink) {
  const EncoderParameters& parameters = encoder.parameters;
  const Array prepared = prepare_input(parameters, x, backend);
  const auto k = static_cast<std::size_t>(parameters.k);
  if (parameters.function == ActivationFunction::kTopK) {
    return encode_whole_rows(prepared, encoder, backend, sink, RowTopK(x.rows, k));
  }
  if (parameters.function == ActivationFunction::kGroupMax) {
    return encode_whole_rows(prepared, encoder, backend, sink,
                             RowGroupMax(x.rows, k, parameters.dict_size / k));
  }
  backend.linear_tiles(prepared, encoder.weight, [&](std::size_t tile, MatrixView<float> block) {
    const std::size_t first = encoder.features.begin + tile;
    apply_activation_function(parameters, {.first = first}, block);
    sink(first, block);
  });
}

std::size_t encode_bytes(const EncoderParameters& p, std::size_t rows, const Backend& backend) {
  const std::size_t hits =
      needs_whole_row(p.function) ? rows * static_cast<std::size_t>(p.k) * sizeof(RowHit) : std::size_t{0};
  return rows * sizeof(float) * 2 * p.activation_dim + hits + backend.tiles_workspace_bytes(rows);
}

}  // namespace saescope
