#include "analysis/feature_details.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace saescope {
namespace {

constexpr double kFirstExponent = -7;
constexpr double kBinsPerOctave = 2;

std::size_t bin_of(float activation) {
  if (activation < FeatureDetails::lower_edge(1)) return 0;
  const double position = (std::log2(static_cast<double>(activation)) - kFirstExponent) * kBinsPerOctave;
  auto bin = std::min(static_cast<std::size_t>(position), FeatureDetails::kBins - 1);
  // log2 rounds: the edges decide.
  while (activation < FeatureDetails::lower_edge(bin)) --bin;
  while (bin + 1 < FeatureDetails::kBins && activation >= FeatureDetails::lower_edge(bin + 1)) ++bin;
  return bin;
}

}  // namespace

FeatureDetails::FeatureDetails(std::size_t features, std::size_t groups,
                               std::span<const uint32_t> group_of_prompt, float activation_threshold)
    : groups_(groups),
      group_of_prompt_(group_of_prompt),
      activation_threshold_(activation_threshold),
      details_(features) {}

float FeatureDetails::lower_edge(std::size_t bin) {
  return static_cast<float>(std::exp2(kFirstExponent + static_cast<double>(bin) / kBinsPerOctave));
}

void FeatureDetails::add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
                         MatrixView<const float> block) {
  for (std::size_t r = 0; r < block.rows; ++r) {
    const float* const row = block.row(r);
    for (std::size_t c = 0; c < block.cols; ++c) {
      if (row[c] > activation_threshold_) add_activation(first_feature + c, prompt_indices[r], row[c]);
    }
  }
}

void FeatureDetails::add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
                         const SparseMatrixView& block) {
  for (const MatrixEntry& entry : block.entries) {
    if (!(entry.value > activation_threshold_)) continue;
    add_activation(first_feature + entry.col, prompt_indices[block.row_of(entry)], entry.value);
  }
}

void FeatureDetails::add_activation(std::size_t feature, std::size_t prompt_idx, float activation) {
  std::unique_ptr<Details>& details = details_[feature];
  if (!details) {
    details = std::make_unique<Details>(
        Details{std::vector<uint32_t>(kBins), std::vector<StrongPrompt>(groups_ * kStrongest)});
  }
  ++details->distribution[bin_of(activation)];
  const std::size_t group = groups_ == 1 ? 0 : group_of_prompt_[prompt_idx];
  const std::span strongest = std::span(details->strongest).subspan(group * kStrongest, kStrongest);
  if (activation <= strongest.back().activation) return;
  const auto place = std::find_if(strongest.begin(), strongest.end(),
                                  [&](const StrongPrompt& other) { return activation > other.activation; });
  std::move_backward(place, strongest.end() - 1, strongest.end());
  *place = {static_cast<uint32_t>(prompt_idx), activation};
}

std::span<const uint32_t> FeatureDetails::distribution(std::size_t feature) const {
  return details_[feature] ? std::span<const uint32_t>(details_[feature]->distribution)
                           : std::span<const uint32_t>();
}

std::span<const StrongPrompt> FeatureDetails::strongest(std::size_t feature) const {
  return details_[feature] ? std::span<const StrongPrompt>(details_[feature]->strongest)
                           : std::span<const StrongPrompt>();
}

FeatureDetails::Arrays FeatureDetails::arrays() const {
  Arrays all;
  for (std::size_t i = 0; i < details_.size(); ++i) {
    if (!details_[i]) continue;
    all.features.push_back(i);
    const Details& one = *details_[i];
    all.distributions.insert(all.distributions.end(), one.distribution.begin(), one.distribution.end());
    all.strongest.insert(all.strongest.end(), one.strongest.begin(), one.strongest.end());
  }
  return all;
}

void FeatureDetails::restore(const Arrays& arrays) {
  const std::size_t prompts = groups_ * kStrongest;
  for (std::size_t i = 0; i < arrays.features.size(); ++i) {
    const auto distribution = std::span(arrays.distributions).subspan(i * kBins, kBins);
    const auto strongest = std::span(arrays.strongest).subspan(i * prompts, prompts);
    details_[arrays.features[i]] = std::make_unique<Details>(
        Details{{distribution.begin(), distribution.end()}, {strongest.begin(), strongest.end()}});
  }
}

void FeatureDetails::append(FeatureDetails&& next) {
  details_.insert(details_.end(), std::make_move_iterator(next.details_.begin()),
                  std::make_move_iterator(next.details_.end()));
}

}  // namespace saescope
