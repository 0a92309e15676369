#include "ops/encode/activation_function.h"

#include <vector>

#include "tensor/finite.h"

namespace saescope {
namespace {

/// The per-feature terms of a block's columns, gathered so that the loops over rows run over plain arrays.
struct ColumnTerms {
  std::vector<float> scale, bias, threshold, gate;
};

std::vector<float> gather(const std::vector<float>& all, const FeatureColumns& columns, std::size_t count) {
  std::vector<float> some(all.empty() ? 0 : count);
  for (std::size_t c = 0; c < some.size(); ++c) some[c] = all[columns(c)];
  return some;
}

// NaN fails every comparison and would silently become 0; asked whether it stays below a limit, it is kept.
void gated_row(const ColumnTerms& t, float* y, std::size_t count) {
  for (std::size_t c = 0; c < count; ++c) {
    const float magnitude = t.scale[c] * y[c] + t.bias[c];
    y[c] = y[c] + t.gate[c] <= 0 || magnitude <= 0 ? 0.0f : magnitude;
  }
}

void affine_row(const ColumnTerms& t, float* y, std::size_t count) {
  if (!t.scale.empty()) {
    for (std::size_t c = 0; c < count; ++c) y[c] *= t.scale[c];
  }
  if (!t.bias.empty()) {
    for (std::size_t c = 0; c < count; ++c) y[c] += t.bias[c];
  }
}

void activate_row(const EncoderParameters& p, const ColumnTerms& t, float* y, std::size_t count) {
  if (p.function == ActivationFunction::kGated) return gated_row(t, y, count);
  affine_row(t, y, count);
  switch (p.function) {
    case ActivationFunction::kThreshold: {
      const float limit = p.threshold > 0 ? p.threshold : 0.0f;
      for (std::size_t c = 0; c < count; ++c) y[c] = y[c] <= limit ? 0.0f : y[c];
      return;
    }
    case ActivationFunction::kJumpRelu:
      for (std::size_t c = 0; c < count; ++c) y[c] = y[c] <= t.threshold[c] || y[c] <= 0 ? 0.0f : y[c];
      return;
    default:
      for (std::size_t c = 0; c < count; ++c) y[c] = y[c] <= 0 ? 0.0f : y[c];
  }
}

}  // namespace

void apply_activation_function(const EncoderParameters& parameters, const FeatureColumns& columns,
                               MatrixView<float> y) {
  const ColumnTerms terms = {
      gather(parameters.scale, columns, y.cols), gather(parameters.bias, columns, y.cols),
      gather(parameters.feature_threshold, columns, y.cols), gather(parameters.gate_bias, columns, y.cols)};
  for (std::size_t r = 0; r < y.rows; ++r) {
    activate_row(parameters, terms, y.row(r), y.cols);
    if (const auto column = find_not_finite({y.row(r), y.cols}))
      throw NotFiniteActivation(r, columns(*column));
  }
}

}  // namespace saescope
