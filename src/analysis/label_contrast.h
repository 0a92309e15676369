#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/label_statistics.h"

namespace saescope {

/// Two groups of prompts to compare, as positions among the labels.
struct LabelPair {
  std::size_t label = 0;
  std::optional<std::size_t> against;  ///< nothing: the prompts of all other labels
  bool operator==(const LabelPair&) const = default;
};

/// A feature whose activity differs between two groups of prompts.
struct ContrastRow {
  int64_t feature_id = 0;
  LabelPair pair;
  double rate_label = 0;  ///< share of the label's prompts on which it is active
  double rate_against = 0;
  double mean_label = 0;  ///< mean activation over all of the label's prompts
  double mean_against = 0;
  double rate_difference = 0;
  double odds_ratio = 0;  ///< may be infinite; NaN where it is active on all or no prompts of both groups
  double p_value = 1;     ///< two-sided Fisher exact test
  double q_value = 1;     ///< Benjamini–Hochberg over every tested feature and pair of these statistics
};

/// Compares the pairs for every feature that is active on at least one of their prompts; the others cannot
/// differ and are no tests. Pairs of which a group has no prompt are left out.
/// @param prompts_per_label how many prompts of each label were added
/// @param feature_ids of the statistics' features; empty: their positions
/// @return rows with q_value <= max_q, ordered by label, q_value, |rate difference| descending, feature_id,
/// against
std::vector<ContrastRow> contrast_labels(const LabelStatistics& statistics,
                                         std::span<const int64_t> feature_ids,
                                         std::span<const uint64_t> prompts_per_label,
                                         std::span<const LabelPair> pairs, double max_q);

/// Benjamini–Hochberg q-values, as statsmodels' fdrcorrection gives them: the least p·n/rank over all
/// p-values that are at least as large, at most 1.
std::vector<double> benjamini_hochberg(std::span<const double> p_values);

}  // namespace saescope
