#include "analysis/label_contrast.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace saescope {
namespace {

/// Counts and sums of the two groups of a pair.
class PairCounts {
 public:
  PairCounts(const LabelStatistics& statistics, std::span<const uint64_t> prompts_per_label, LabelPair pair)
      : statistics_(statistics), pair_(pair), size_(prompts_per_label[pair.label]) {
    for (std::size_t label = 0; label < statistics.labels(); ++label) {
      if (label == pair.label || (pair.against && label != *pair.against)) continue;
      others_.push_back(label);
      size_others_ += prompts_per_label[label];
    }
  }

  bool comparable() const { return size_ > 0 && size_others_ > 0; }

  TwoGroups groups(std::size_t feature) const {
    TwoGroups groups = {statistics_.count(pair_.label, feature), size_, 0, size_others_};
    for (const std::size_t label : others_) groups.active_others += statistics_.count(label, feature);
    return groups;
  }

  double sum_others(std::size_t feature) const {
    double sum = 0;
    for (const std::size_t label : others_) sum += statistics_.sum(label, feature);
    return sum;
  }

 private:
  const LabelStatistics& statistics_;
  LabelPair pair_;
  uint64_t size_;
  uint64_t size_others_ = 0;
  std::vector<std::size_t> others_;
};

double ratio(double part, uint64_t whole) { return part / static_cast<double>(whole); }

void append_pair(const LabelStatistics& statistics, std::span<const int64_t> feature_ids,
                 std::span<const uint64_t> prompts_per_label, LabelPair pair,
                 std::vector<ContrastRow>& rows) {
  const PairCounts counts(statistics, prompts_per_label, pair);
  if (!counts.comparable()) return;
  for (std::size_t feature = 0; feature < statistics.features(); ++feature) {
    const TwoGroups groups = counts.groups(feature);
    if (groups.active + groups.active_others == 0) continue;
    ContrastRow& row = rows.emplace_back();
    row.feature_id = feature_ids.empty() ? static_cast<int64_t>(feature) : feature_ids[feature];
    row.pair = pair;
    row.rate_label = ratio(static_cast<double>(groups.active), groups.size);
    row.rate_against = ratio(static_cast<double>(groups.active_others), groups.size_others);
    row.mean_label = ratio(statistics.sum(pair.label, feature), groups.size);
    row.mean_against = ratio(counts.sum_others(feature), groups.size_others);
    row.rate_difference = row.rate_label - row.rate_against;
    row.odds_ratio = odds_ratio(groups);
    row.p_value = fisher_exact(groups);
  }
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
  std::vector<ContrastRow> rows;
  for (const LabelPair& pair : pairs) append_pair(statistics, feature_ids, prompts_per_label, pair, rows);
  std::vector<double> p_values;
  p_values.reserve(rows.size());
  for (const ContrastRow& row : rows) p_values.push_back(row.p_value);
  const std::vector<double> q_values = benjamini_hochberg(p_values);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].q_value = q_values[i];
  std::erase_if(rows, [&](const ContrastRow& row) { return row.q_value > max_q; });
  std::sort(rows.begin(), rows.end(), comes_before);
  return rows;
}

}  // namespace saescope
