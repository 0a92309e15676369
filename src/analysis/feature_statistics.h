#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/sparse_matrix.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// One feature's statistics over all prompts at one source and token type.
struct FeatureSummary {
  int64_t feature_id = 0;
  float activation_mean = 0;  ///< over active prompts, summed in double, then rounded to float
  float activation_max = 0;   ///< over all prompts
  float activation_min = 0;   ///< over all prompts
  uint64_t num_prompts = 0;   ///< prompts with activation > activation_threshold
  bool operator==(const FeatureSummary&) const = default;
};

/// Per-feature accumulators of one source and token type: memory O(features), nothing per prompt. Blocks of
/// the same feature range must arrive in prompt order, which makes the sums independent of how prompts were
/// cut into batches; different feature ranges may be added from different threads.
class FeatureStatistics {
 public:
  /// @param first_feature id of the first of the `features` features
  FeatureStatistics(std::size_t features, float activation_threshold, std::size_t first_feature = 0);

  /// Adds activations of consecutive prompts for features [first_feature, first_feature + block.cols).
  /// @param block [prompts, features] post-threshold SAE activations
  void add(std::size_t first_feature, MatrixView<const float> block);
  /// The same from what is not 0. Precondition: zeros are not active
  void add(std::size_t first_feature, const SparseMatrixView& block);

  /// Whether a feature is active where its activation is 0: the threshold is below it.
  bool counts_zeros() const { return activation_threshold_ < 0; }

  /// Features active on at least one prompt and on `num_prompts / prompts >= threshold` of them,
  /// compared exactly, ordered by mean descending, then feature id ascending.
  /// @param prompts how many prompts were added for every feature
  std::vector<FeatureSummary> finish(uint64_t prompts, double threshold) const;

  std::size_t features() const { return count_.size(); }
  std::size_t first_feature() const { return first_feature_; }
  /// Prompts on which the feature at this position is active.
  uint64_t count(std::size_t position) const { return count_[position]; }
  /// One feature, whatever its activity; the mean of one that is never active is 0. Precondition: prompts
  /// were added.
  FeatureSummary feature(std::size_t position) const;

  /// Adds the features behind this one's, to which the same prompts were added.
  void append(const FeatureStatistics& next);

  /// Calls visit(name, values) with each accumulator, a vector with one number for each feature, so that they
  /// can be kept on disk and put back.
  template <typename Visit>
  void for_each_accumulator(Visit&& visit) {
    visit("sum", sum_);
    visit("max", max_);
    visit("min", min_);
    visit("count", count_);
  }

  /// What `features` features take.
  static uint64_t bytes_for(std::size_t features) {
    return uint64_t{features} * (sizeof(double) + 2 * sizeof(float) + sizeof(uint64_t));
  }

 private:
  float activation_threshold_;
  std::size_t first_feature_;
  std::vector<double> sum_;
  std::vector<float> max_;
  std::vector<float> min_;
  std::vector<uint64_t> count_;
};

}  // namespace saescope
