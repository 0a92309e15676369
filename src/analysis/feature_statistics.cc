#include "analysis/feature_statistics.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace saescope {
namespace {

/// Whether `active` of `prompts` reach `threshold`, a double that was read from a short decimal.
///
/// The user's 0.1 stands for 1/10, but its double lies a little above: a comparison of the rational
/// 1/10 with the double's exact value would refuse 1 of 10 prompts. The correctly rounded quotient
/// decides as exact arithmetic on the user's decimal would: where the decimal equals
/// active/prompts, both round to the same double; where it is smaller, rounding keeps the order;
/// where it is larger, the two differ by at least 1/(prompts · 10^digits) and stay apart in double
/// while prompts · 10^digits < 2^52, which holds for any threshold a person types.
bool reaches(uint64_t active, uint64_t prompts, double threshold) {
  return static_cast<double>(active) / static_cast<double>(prompts) >= threshold;
}

template <typename T>
void append_to(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

bool comes_before(const FeatureSummary& a, const FeatureSummary& b) {
  if (a.activation_mean != b.activation_mean) return a.activation_mean > b.activation_mean;
  return a.feature_id < b.feature_id;
}

}  // namespace

FeatureStatistics::FeatureStatistics(std::size_t features, float activation_threshold,
                                     std::size_t first_feature)
    : activation_threshold_(activation_threshold),
      first_feature_(first_feature),
      sum_(features, 0.0),
      max_(features, -std::numeric_limits<float>::infinity()),
      min_(features, std::numeric_limits<float>::infinity()),
      count_(features, 0) {}

void FeatureStatistics::add(std::size_t first_feature, MatrixView<const float> block) {
  assert(first_feature + block.cols <= sum_.size());
  double* const sum = sum_.data() + first_feature;
  float* const max = max_.data() + first_feature;
  float* const min = min_.data() + first_feature;
  uint64_t* const count = count_.data() + first_feature;
  for (std::size_t r = 0; r < block.rows; ++r) {
    const float* const row = block.row(r);
    // Without branches, so that the compiler makes vector code of it. Adding 0.0 changes no sum.
    for (std::size_t c = 0; c < block.cols; ++c) {
      const float value = row[c];
      const bool active = value > activation_threshold_;
      sum[c] += active ? static_cast<double>(value) : 0.0;
      count[c] += active ? 1 : 0;
      max[c] = std::max(max[c], value);
      min[c] = std::min(min[c], value);
    }
  }
}

void FeatureStatistics::add(std::size_t first_feature, const SparseMatrixView& block) {
  assert(first_feature + block.cols <= sum_.size() && !counts_zeros());
  std::vector<uint32_t> listed(block.cols, 0);
  for (const MatrixEntry& entry : block.entries) {
    const std::size_t position = first_feature + entry.col;
    ++listed[entry.col];
    max_[position] = std::max(max_[position], entry.value);
    min_[position] = std::min(min_[position], entry.value);
    if (!(entry.value > activation_threshold_)) continue;
    sum_[position] += static_cast<double>(entry.value);
    ++count_[position];
  }
  for (std::size_t c = 0; c < block.cols; ++c) {
    if (listed[c] == block.rows) continue;
    const std::size_t position = first_feature + c;
    max_[position] = std::max(max_[position], 0.0f);
    min_[position] = std::min(min_[position], 0.0f);
  }
}

FeatureSummary FeatureStatistics::feature(std::size_t position) const {
  const uint64_t count = count_[position];
  const double mean = count == 0 ? 0 : sum_[position] / static_cast<double>(count);
  return {.feature_id = static_cast<int64_t>(first_feature_ + position),
          .activation_mean = static_cast<float>(mean),
          .activation_max = max_[position],
          .activation_min = min_[position],
          .num_prompts = count};
}

void FeatureStatistics::append(const FeatureStatistics& next) {
  append_to(sum_, next.sum_);
  append_to(max_, next.max_);
  append_to(min_, next.min_);
  append_to(count_, next.count_);
}

std::vector<FeatureSummary> FeatureStatistics::finish(uint64_t prompts, double threshold) const {
  std::vector<FeatureSummary> features;
  for (std::size_t i = 0; i < count_.size(); ++i) {
    if (count_[i] == 0 || !reaches(count_[i], prompts, threshold)) continue;
    features.push_back(feature(i));
  }
  std::sort(features.begin(), features.end(), comes_before);
  return features;
}

}  // namespace saescope
