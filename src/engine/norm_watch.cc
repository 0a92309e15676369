#include "engine/norm_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace saescope {

void NormWatch::add(const ActivationBatch& batch) {
  std::vector<float>& norms = norms_[batch.layer];
  for (std::size_t r = 0; r < batch.activations.rows; ++r) {
    const float* const row = batch.activations.row(r);
    double sum = 0;
    for (std::size_t c = 0; c < batch.activations.cols; ++c) sum += double{row[c]} * row[c];
    norms.push_back(static_cast<float>(std::sqrt(sum)));
  }
}

std::vector<std::string> NormWatch::notes(const std::string& model) {
  std::vector<std::string> notes;
  for (auto& [layer, norms] : norms_) {
    if (norms.empty()) continue;
    const auto middle = norms.begin() + static_cast<std::ptrdiff_t>(norms.size() / 2);
    std::nth_element(norms.begin(), middle, norms.end());
    const float limit = kFar * *middle;
    const auto far = std::count_if(norms.begin(), norms.end(), [&](float norm) { return norm > limit; });
    if (far == 0) continue;
    notes.push_back(
        fmt::format("{}: at layer {}, {} of {} residuals are over {} times as long as the median one "
                    "(attention sinks, perhaps); "
                    "SAEs are usually trained without such tokens",
                    model, layer, far, norms.size(), kFar));
  }
  return notes;
}

}  // namespace saescope
