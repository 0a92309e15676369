#include "sae/feature_encoder.h"

#include <algorithm>
#include <unordered_map>

#include "ops/encode/activation_function.h"
#include "ops/encode/encode.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

// Rows of the weight that are held at once: 16 MiB where d is 4096. More features are read again for each
// batch.
constexpr std::size_t kBlock = 1024;

}  // namespace

FeatureEncoder::FeatureEncoder(const EncoderParameters& parameters, std::span<const int64_t> features,
                               Backend& backend, const Context& context)
    : parameters_(parameters),
      features_(features.begin(), features.end()),
      backend_(backend),
      context_(context) {}

Matrix<float> FeatureEncoder::encode(MatrixView<const float> x) {
  Matrix<float> result(x.rows, features_.size());
  if (x.rows == 0 || features_.empty()) return result;
  if (needs_whole_row(parameters_.function)) return pick_from_all(x);
  const Array shifted = prepare_input(parameters_, x, backend_);
  for (std::size_t first = 0; first < features_.size(); first += kBlock) {
    context_.cancel->check();
    const std::size_t count = std::min(kBlock, features_.size() - first);
    load_block(first, count);
    encode_block(shifted, first, {result.row(0) + first, x.rows, count, result.cols()});
  }
  return result;
}

void FeatureEncoder::load_block(std::size_t first, std::size_t count) {
  if (first_loaded_ == first) return;
  const std::size_t d = parameters_.activation_dim;
  if (rows_.size() == 0) rows_ = Buffer<float>(std::min(kBlock, features_.size()) * d);
#pragma omp parallel for num_threads(context_.threads) schedule(dynamic)
  for (std::size_t i = 0; i < count; ++i) {
    load_weight_rows(parameters_.weight, static_cast<std::size_t>(features_[first + i]), 1,
                     rows_.data() + i * d);
  }
  first_loaded_ = first;
}

void FeatureEncoder::encode_block(const Array& x, std::size_t first, MatrixView<float> result) {
  const std::size_t d = parameters_.activation_dim;
  const TensorView weight =
      TensorView::dense(DType::kF32, {result.cols, d}, reinterpret_cast<const std::byte*>(rows_.data()));
  backend_.linear_tiles(x, weight, [&](std::size_t first_output, MatrixView<float> tile) {
    apply_activation_function(parameters_, {.ids = features_.data() + first + first_output}, tile);
    for (std::size_t r = 0; r < tile.rows; ++r) {
      std::copy_n(tile.row(r), tile.cols, result.row(r) + first_output);
    }
  });
}

/// Which features a row keeps depends on all of them.
Matrix<float> FeatureEncoder::pick_from_all(MatrixView<const float> x) {
  Matrix<float> result(x.rows, features_.size());
  std::fill_n(result.row(0), x.rows * result.cols(), 0.0f);
  std::unordered_multimap<std::size_t, std::size_t> positions;
  for (std::size_t i = 0; i < features_.size(); ++i)
    positions.emplace(static_cast<std::size_t>(features_[i]), i);
  if (!all_) all_.emplace(backend_.bind_encoder(parameters_));
  backend_.encode(x, *all_, [&](std::size_t first, const FeatureBlock& block) {
    for_each_hit(block, [&](std::size_t row, std::size_t column, float activation) {
      const auto [begin, end] = positions.equal_range(first + column);
      for (auto it = begin; it != end; ++it) result.row(row)[it->second] = activation;
    });
  });
  return result;
}

}  // namespace saescope
