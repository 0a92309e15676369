#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/fisher_exact.h"
#include "tensor/sparse_matrix.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// How often and how strongly each feature of one source and token type reacts to the prompts of each label:
/// memory O(features × labels), nothing per prompt. Blocks are added as to FeatureStatistics.
class LabelStatistics {
 public:
  /// @param label_of_prompt by prompt_idx, below `labels`; must outlive this
  LabelStatistics(std::size_t features, std::size_t labels, std::span<const uint32_t> label_of_prompt,
                  float activation_threshold);

  /// Adds activations of consecutive prompts for features [first_feature, first_feature + block.cols).
  /// @param prompt_indices [prompts] @param block [prompts, features]
  void add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
           MatrixView<const float> block);
  /// The same from what is not 0. Precondition: zeros are not active
  void add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
           const SparseMatrixView& block);

  /// Adds the features behind this one's, to which the same prompts were added.
  void append(const LabelStatistics& next);

  std::size_t features() const { return features_; }
  std::size_t labels() const { return labels_; }
  /// Prompts of the label with activation > activation_threshold.
  uint64_t count(std::size_t label, std::size_t feature) const { return count_[label * features_ + feature]; }
  /// Over all prompts of the label, in double.
  double sum(std::size_t label, std::size_t feature) const { return sum_[label * features_ + feature]; }

  /// As FeatureStatistics::for_each_accumulator; the vectors are [labels, features].
  template <typename Visit>
  void for_each_accumulator(Visit&& visit) {
    visit("label_count", count_);
    visit("label_sum", sum_);
  }

  /// What `features` features and `labels` labels take.
  static uint64_t bytes_for(std::size_t features, std::size_t labels) {
    return uint64_t{features} * labels * (sizeof(uint32_t) + sizeof(double));
  }

 private:
  std::size_t features_;
  std::size_t labels_;
  std::span<const uint32_t> label_of_prompt_;
  float activation_threshold_;
  std::vector<uint32_t> count_;  ///< [labels, features]
  std::vector<double> sum_;      ///< [labels, features]
};

}  // namespace saescope
