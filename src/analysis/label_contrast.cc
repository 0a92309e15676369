#include "analysis/label_contrast.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace saescope {
namespace {

/// One feature beside all labels: what a pair compares takes no longer with many labels than with two.
class FeatureCounts {
 public:
  FeatureCounts(const LabelStatistics& statistics, std::span<const uint64_t> prompts_per_label)
      : statistics_(statistics),
        prompts_(prompts_per_label),
        sum_before_(statistics.labels() + 1),
        sum_behind_(statistics.labels() + 1) {
    for (const uint64_t prompts : prompts_) all_prompts_ += prompts;
  }

  void load(std::size_t feature) {
    if (feature_ == feature) return;
    feature_ = feature;
    all_active_ = 0;
    const std::size_t labels = statistics_.labels();
    for (std::size_t i = 0; i < labels; ++i) {
      const std::size_t j = labels - 1 - i;
      all_active_ += statistics_.count(i, feature);
      sum_before_[i + 1] = sum_before_[i] + statistics_.sum(i, feature);
      sum_behind_[j] = sum_behind_[j + 1] + statistics_.sum(j, feature);
    }
  }

  TwoGroups groups(LabelPair pair) const {
    const uint64_t active = statistics_.count(pair.label, feature_);
    const uint64_t size = prompts_[pair.label];
    if (!pair.against) return {active, size, all_active_ - active, all_prompts_ - size};
    return {active, size, statistics_.count(*pair.against, feature_), prompts_[*pair.against]};
  }

  double sum(LabelPair pair) const { return statistics_.sum(pair.label, feature_); }
  /// Of the other group. Added up, not subtracted from the whole: a small rest would lose its digits.
  double sum_others(LabelPair pair) const {
    if (pair.against) return statistics_.sum(*pair.against, feature_);
    return sum_before_[pair.label] + sum_behind_[pair.label + 1];
  }

 private:
  const LabelStatistics& statistics_;
  std::span<const uint64_t> prompts_;
  uint64_t all_prompts_ = 0;
  std::size_t feature_ = SIZE_MAX;
  uint64_t all_active_ = 0;
  std::vector<double> sum_before_;  ///< [labels + 1] sums of the labels before each
  std::vector<double> sum_behind_;  ///< [labels + 1] sums of each label and those behind it
};

/// A feature and a pair that it is compared for. There are features × pairs of them: nothing more is kept of
/// each.
struct Test {
  uint32_t feature;
  uint32_t pair;
};

double ratio(double part, uint64_t whole) { return part / static_cast<double>(whole); }

ContrastRow make_row(const FeatureCounts& counts, LabelPair pair, double p_value, double q_value) {
  const TwoGroups groups = counts.groups(pair);
  ContrastRow row;
  row.pair = pair;
  row.rate_label = ratio(static_cast<double>(groups.active), groups.size);
  row.rate_against = ratio(static_cast<double>(groups.active_others), groups.size_others);
  row.mean_label = ratio(counts.sum(pair), groups.size);
  row.mean_against = ratio(counts.sum_others(pair), groups.size_others);
  row.rate_difference = row.rate_label - row.rate_against;
  row.odds_ratio = odds_ratio(groups);
  row.p_value = p_value;
  row.q_value = q_value;
  return row;
}

bool comes_before(const ContrastRow& a, const ContrastRow& b) {
  const auto key = [](const ContrastRow& row) {
    return std::tuple(row.pair.label, row.q_value, -std::abs(row.rate_difference), row.feature_id,
                      row.pair.against);
  };
  return key(a) < key(b);
}

}  // namespace

std::vector<double> benjamini_hochberg(std::span<const double> p_values) {
  std::vector<std::size_t> descending(p_values.size());
  std::iota(descending.begin(), descending.end(), std::size_t{0});
  std::sort(descending.begin(), descending.end(),
            [&](std::size_t a, std::size_t b) { return p_values[a] > p_values[b]; });
  std::vector<double> q_values(p_values.size());
  const auto tests = static_cast<double>(p_values.size());
  double least = 1.0;
  for (std::size_t i = 0; i < descending.size(); ++i) {
    const auto rank = static_cast<double>(descending.size() - i);
    least = std::min(least, p_values[descending[i]] / (rank / tests));
    q_values[descending[i]] = least;
  }
  return q_values;
}

std::vector<ContrastRow> contrast_labels(const LabelStatistics& statistics,
                                         std::span<const int64_t> feature_ids,
                                         std::span<const uint64_t> prompts_per_label,
                                         std::span<const LabelPair> pairs, double max_q) {
  FeatureCounts counts(statistics, prompts_per_label);
  std::vector<Test> tests;
  std::vector<double> p_values;
  for (std::size_t feature = 0; feature < statistics.features(); ++feature) {
    counts.load(feature);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const TwoGroups groups = counts.groups(pairs[pair]);
      if (groups.size == 0 || groups.size_others == 0 || groups.active + groups.active_others == 0) continue;
      tests.push_back({static_cast<uint32_t>(feature), static_cast<uint32_t>(pair)});
      p_values.push_back(fisher_exact(groups));
    }
  }
  const std::vector<double> q_values = benjamini_hochberg(p_values);
  std::vector<ContrastRow> rows;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (q_values[i] > max_q) continue;
    const std::size_t feature = tests[i].feature;
    counts.load(feature);
    rows.push_back(make_row(counts, pairs[tests[i].pair], p_values[i], q_values[i]));
    rows.back().feature_id = feature_ids.empty() ? static_cast<int64_t>(feature) : feature_ids[feature];
  }
  std::sort(rows.begin(), rows.end(), comes_before);
  return rows;
}

}  // namespace saescope
