#include "model/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace saescope {

std::vector<float> rope_inverse_frequencies(double theta, std::size_t head_dim) {
  std::vector<float> inverse(head_dim / 2);
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const auto power = static_cast<float>(std::pow(static_cast<float>(theta), double{exponent}));
    inverse[i] = 1.0f / power;
  }
  return inverse;
}

std::vector<float> yarn_inverse_frequencies(const YarnRopeScaling& scaling, double theta,
                                            std::size_t head_dim) {
  const auto dimension = static_cast<double>(head_dim);
  // The dimension whose frequency turns so often within the original context.
  const auto correction = [&](double rotations) {
    return dimension * std::log(scaling.original_context / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(theta));
  };
  double low = correction(scaling.beta_fast);
  double high = correction(scaling.beta_slow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dimension - 1);
  if (low == high) high += 0.001;
  std::vector<float> inverse(head_dim / 2);
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const auto power = static_cast<float>(std::pow(static_cast<float>(theta), double{exponent}));
    const float extrapolated = 1.0f / power;
    const float interpolated = 1.0f / (static_cast<float>(scaling.factor) * power);
    const float ramp = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    const float kept = 1 - std::clamp(ramp, 0.0f, 1.0f);
    inverse[i] = interpolated * (1 - kept) + extrapolated * kept;
  }
  return inverse;
}

double yarn_magnitude(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

void apply_llama3_scaling(const Llama3RopeScaling& scaling, std::vector<float>& inverse_frequencies) {
  const double low_wavelength = scaling.original_context / scaling.low_freq_factor;
  const double high_wavelength = scaling.original_context / scaling.high_freq_factor;
  for (float& frequency : inverse_frequencies) {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength < high_wavelength) continue;
    const double slowed = frequency / scaling.factor;
    if (wavelength > low_wavelength) {
      frequency = static_cast<float>(slowed);
      continue;
    }
    const double smooth = (scaling.original_context / wavelength - scaling.low_freq_factor) /
                          (scaling.high_freq_factor - scaling.low_freq_factor);
    frequency = static_cast<float>((1 - smooth) * slowed + smooth * frequency);
  }
}

}  // namespace saescope
