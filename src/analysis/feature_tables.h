#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/feature_details.h"
#include "analysis/feature_statistics.h"
#include "analysis/label_statistics.h"
#include "analysis/labels.h"
#include "analysis/sources.h"
#include "base/index_range.h"

namespace saescope {

/// What is kept of every feature of a run.
struct StatisticsSettings {
  /// More labels than this are one group in FeatureDetails: what is kept for a feature grows with the groups.
  static constexpr std::size_t kMostGroups = 64;

  float activation_threshold = 0;
  std::shared_ptr<const Labels> labels = nullptr;  ///< null: nothing by label
  bool details = false;                            ///< needs labels

  /// Bytes for `features` features of one source and token type, at most.
  uint64_t bytes_for(std::size_t features) const;
};

/// What is known about the features of one source at one token type: all of its dictionary's, or chosen ones.
class FeatureTable {
 public:
  /// A range of the dictionary's features.
  FeatureTable(Source source, std::string token, IndexRange features, const StatisticsSettings& settings);
  /// Chosen features. @param chosen their ids in the order of the columns that are added
  FeatureTable(Source source, std::string token, std::vector<int64_t> chosen,
               const StatisticsSettings& settings);

  /// Adds activations of consecutive prompts, under the conditions of FeatureStatistics::add.
  /// @param first position of the block's first feature @param prompt_indices [prompts]
  /// @param block [prompts, features]
  void add(std::size_t first, std::span<const std::size_t> prompt_indices, MatrixView<const float> block);
  /// The same from what is not 0.
  void add(std::size_t first, std::span<const std::size_t> prompt_indices, const SparseMatrixView& block);

  /// Adds the range behind this one's, or the chosen features behind its own, to which the same prompts were
  /// added: the table is then what it had been, had both been one.
  void append(FeatureTable&& next);

  const Source& source() const { return source_; }
  const std::string& token() const { return token_; }
  bool all_features() const { return all_features_; }
  std::span<const int64_t> chosen() const { return chosen_; }
  int64_t feature_id(std::size_t position) const {
    return all_features() ? static_cast<int64_t>(statistics_.first_feature() + position) : chosen_[position];
  }
  const FeatureStatistics& statistics() const { return statistics_; }
  const LabelStatistics* labels() const { return labels_ ? &*labels_ : nullptr; }
  const FeatureDetails* details() const { return details_ ? &*details_ : nullptr; }

  /// Everything that was accumulated, as FeatureStatistics::for_each_accumulator gives it.
  template <typename Visit>
  void for_each_accumulator(Visit&& visit) {
    statistics_.for_each_accumulator(visit);
    if (labels_) labels_->for_each_accumulator(visit);
  }
  FeatureDetails* details() { return details_ ? &*details_ : nullptr; }

 private:
  void keep_more(const StatisticsSettings& settings);
  template <typename Block>
  void add_to_all(std::size_t first, std::span<const std::size_t> prompt_indices, const Block& block);

  Source source_;
  std::string token_;
  bool all_features_;
  std::vector<int64_t> chosen_;
  FeatureStatistics statistics_;
  std::shared_ptr<const Labels> labels_of_prompts_;  ///< what the two below look into
  std::optional<LabelStatistics> labels_;
  std::optional<FeatureDetails> details_;
};

/// The tables of a run in the order of the CSV files: source name, then token type, both ascending as
/// strings.
class FeatureTables {
 public:
  /// The reference stays valid while the set lives. Not thread-safe; the table itself may be filled from
  /// several threads as FeatureStatistics allows. Precondition: the source's token type has no table yet.
  FeatureTable& add(FeatureTable table);

  /// Precondition: it is there.
  const FeatureTable& at(const Source& source, const std::string& token) const {
    return tables_.at({source.name(), token});
  }

  /// Adds to each table what is behind its own features. @param next the same tables of those features
  void append(FeatureTables&& next);

  /// Takes tables of other sources over.
  void merge(FeatureTables&& other) { tables_.merge(other.tables_); }

  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, table] : tables_) visit(table);
  }
  /// Calls visit(table) for each, rowless ones too, in order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, table] : tables_) visit(table);
  }

 private:
  /// Keyed by source name (not Source: layer 9 comes behind layer 11 as a string) and token type.
  std::map<std::pair<std::string, std::string>, FeatureTable> tables_;
};

}  // namespace saescope
