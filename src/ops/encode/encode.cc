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

/// Which features a row keeps is known only at its end, so all are multiplied.
void encode_whole_rows(const Array& x, const BoundEncoder& encoder, Backend& backend,
                       const FeatureSink& sink) {
  RowChoice choice(encoder.parameters, x.rows());
  std::mutex adding;
  backend.linear_tiles(x, encoder.weight, [&](std::size_t first, MatrixView<float> block) {
    apply_activation_function(encoder.parameters, {.first = first}, block);
    const std::lock_guard lock(adding);
    choice.add(first, MatrixView<const float>(block));
  });
  choice.give(encoder.features, sink);
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
  const auto send = [&] {
    Array array = backend.allocate(x.rows, x.cols, DType::kF32);
    backend.upload(prepared.view(), array);
    return array;
  };
  try {
    return send();
  } catch (const OutOfDeviceMemory&) {
    backend.save_memory();
  }
  return send();
}

void encode_in_tiles(MatrixView<const float> x, const BoundEncoder& encoder, Backend& backend,
                     const FeatureSink& sink) {
  const EncoderParameters& parameters = encoder.parameters;
  const Array prepared = prepare_input(parameters, x, backend);
  if (needs_whole_row(parameters.function)) return encode_whole_rows(prepared, encoder, backend, sink);
  backend.linear_tiles(prepared, encoder.weight, [&](std::size_t tile, MatrixView<float> block) {
    const std::size_t first = encoder.features.begin + tile;
    apply_activation_function(parameters, {.first = first}, block);
    sink(first, MatrixView<const float>(block));
  });
}

std::size_t encode_bytes(const EncoderParameters& p, std::size_t rows, const Backend& backend) {
  const std::size_t hits =
      needs_whole_row(p.function) ? rows * static_cast<std::size_t>(p.k) * sizeof(RowHit) : std::size_t{0};
  return rows * sizeof(float) * 2 * p.activation_dim + hits + backend.tiles_workspace_bytes(rows);
}

}  // namespace saescope
