#include "analysis/label_statistics.h"

#include <cassert>

namespace saescope {

LabelStatistics::LabelStatistics(std::size_t features, std::size_t labels,
                                 std::span<const uint32_t> label_of_prompt, float activation_threshold)
    : features_(features),
      labels_(labels),
      label_of_prompt_(label_of_prompt),
      activation_threshold_(activation_threshold),
      count_(features * labels, 0),
      sum_(features * labels, 0.0) {}

void LabelStatistics::add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
                          MatrixView<const float> block) {
  assert(first_feature + block.cols <= features_ && prompt_indices.size() == block.rows);
  for (std::size_t r = 0; r < block.rows; ++r) {
    const std::size_t label = label_of_prompt_[prompt_indices[r]];
    uint32_t* const count = count_.data() + label * features_ + first_feature;
    double* const sum = sum_.data() + label * features_ + first_feature;
    const float* const row = block.row(r);
    // Without branches, as in FeatureStatistics::add.
    for (std::size_t c = 0; c < block.cols; ++c) {
      sum[c] += static_cast<double>(row[c]);
      count[c] += row[c] > activation_threshold_ ? 1 : 0;
    }
  }
}

void LabelStatistics::add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
                          const SparseMatrixView& block) {
  assert(first_feature + block.cols <= features_ && prompt_indices.size() == block.rows);
  for (const MatrixEntry& entry : block.entries) {
    const std::size_t label = label_of_prompt_[prompt_indices[block.row_of(entry)]];
    const std::size_t place = label * features_ + first_feature + entry.col;
    sum_[place] += static_cast<double>(entry.value);
    count_[place] += entry.value > activation_threshold_ ? 1 : 0;
  }
}

void LabelStatistics::append(const LabelStatistics& next) {
  assert(next.labels_ == labels_);
  const auto joined = [&]<typename T>(const std::vector<T>& first, const std::vector<T>& second) {
    std::vector<T> all;
    all.reserve(first.size() + second.size());
    for (std::size_t label = 0; label < labels_; ++label) {
      const T* const own = first.data() + label * features_;
      const T* const more = second.data() + label * next.features_;
      all.insert(all.end(), own, own + features_);
      all.insert(all.end(), more, more + next.features_);
    }
    return all;
  };
  count_ = joined(count_, next.count_);
  sum_ = joined(sum_, next.sum_);
  features_ += next.features_;
}

}  // namespace saescope
