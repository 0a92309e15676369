#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/sparse_matrix.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// A prompt and a feature's activation on it.
struct StrongPrompt {
  uint32_t prompt_idx = 0;
  float activation = 0;  ///< 0: there is none
  bool operator==(const StrongPrompt&) const = default;
};

/// What a report shows of single features: how their activations are distributed over the prompts, and the
/// prompts on which they are strongest, for each label. Memory for features that are active at least once
/// only; blocks are added as to FeatureStatistics.
class FeatureDetails {
 public:
  /// Half powers of two from 2^-7 to 2^12; the last bin is open.
  static constexpr std::size_t kBins = 38;
  static constexpr std::size_t kStrongest = 3;  ///< prompts kept for each group

  /// @param group_of_prompt by prompt_idx, below `groups`; must outlive this
  FeatureDetails(std::size_t features, std::size_t groups, std::span<const uint32_t> group_of_prompt,
                 float activation_threshold);

  /// @param prompt_indices [prompts], ascending over all calls @param block [prompts, features]
  void add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
           MatrixView<const float> block);
  /// The same from what is not 0. Precondition: zeros are not active
  void add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
           const SparseMatrixView& block);

  /// Lower edge of a bin; the first bin also holds what lies below its edge.
  static float lower_edge(std::size_t bin);

  /// [kBins] prompts on which the feature is active, by activation; empty where it is on none.
  std::span<const uint32_t> distribution(std::size_t feature) const;
  /// [groups · kStrongest] descending within a group, the earlier prompt first among equals; empty where it
  /// is active on none.
  std::span<const StrongPrompt> strongest(std::size_t feature) const;
  /// Adds the features behind this one's, to which the same prompts were added.
  void append(FeatureDetails&& next);

  std::size_t groups() const { return groups_; }

  /// The same in arrays, of the features that were active at least once, ascending.
  struct Arrays {
    std::vector<uint64_t> features;       ///< [active] their positions
    std::vector<uint32_t> distributions;  ///< [active, kBins]
    std::vector<StrongPrompt> strongest;  ///< [active, groups · kStrongest]
  };
  Arrays arrays() const;
  /// Puts back what `arrays` gave. Precondition: they are of as many features and groups, nothing was added.
  void restore(const Arrays& arrays);

  /// What `features` features take at most.
  static uint64_t bytes_for(std::size_t features, std::size_t groups) {
    return uint64_t{features} * (sizeof(Details) + kBins * sizeof(uint32_t) +
                                 groups * kStrongest * sizeof(StrongPrompt) + sizeof(void*));
  }

 private:
  struct Details {
    std::vector<uint32_t> distribution;
    std::vector<StrongPrompt> strongest;
  };
  void add_activation(std::size_t feature, std::size_t prompt_idx, float activation);

  std::size_t groups_;
  std::span<const uint32_t> group_of_prompt_;
  float activation_threshold_;
  std::vector<std::unique_ptr<Details>> details_;  ///< [features], null until the feature is active
};

}  // namespace saescope
