#include "model/rope_scaling.h"

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
