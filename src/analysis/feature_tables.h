#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/feature_details.h"
#include "analysis/label_statistics.h"
#include "analysis/labels.h"
#include "analysis/sources.h"
#include "analysis/universal.h"

namespace saescope {

/// What is gathered about every feature of a run.
struct Gathering {
  /// More labels than this are one group in FeatureDetails: what is kept for a feature grows with the groups.
  static constexpr std::size_t kMostGroups = 64;

  float activation_threshold = 0;
  const Labels* labels = nullptr;  ///< null: nothing by label; must outlive the tables
  bool details = false;            ///< needs labels

  /// Bytes for `features` features of one source and token type, at most.
  uint64_t bytes_for(std::size_t features) const;
};

/// What is known about the features of one source at one token type: all of its dictionary's, or chosen ones.
class FeatureTable {
 public:
  /// @param chosen feature ids of the columns that are added; empty: all `features` of the dictionary
  FeatureTable(Source source, std::string token, std::size_t features, std::vector<int64_t> chosen,
               const Gathering& gathering);

  /// Adds activations of consecutive prompts, under the conditions of UniversalStatistics::add.
  /// @param prompt_indices [prompts] @param block [prompts, features]
  void add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
           MatrixView<const float> block);

  const Source& source() const { return source_; }
  const std::string& token() const { return token_; }
  bool all_features() const { return chosen_.empty(); }
  std::span<const int64_t> chosen() const { return chosen_; }
  int64_t feature_id(std::size_t position) const {
    return all_features() ? static_cast<int64_t>(position) : chosen_[position];
  }
  const UniversalStatistics& statistics() const { return statistics_; }
  const LabelStatistics* labels() const { return labels_ ? &*labels_ : nullptr; }
  const FeatureDetails* details() const { return details_ ? &*details_ : nullptr; }

 private:
  Source source_;
  std::string token_;
  std::vector<int64_t> chosen_;
  UniversalStatistics statistics_;
  std::optional<LabelStatistics> labels_;
  std::optional<FeatureDetails> details_;
};

/// The tables of a run in the order of the CSV files: source name, then token type, both ascending as
/// strings.
class FeatureTables {
 public:
  explicit FeatureTables(const Gathering& gathering) : gathering_(gathering) {}

  /// The table of a source's token type, made on first use. The reference stays valid while the set lives.
  /// Not thread-safe; the table itself may be filled from several threads as UniversalStatistics allows.
  FeatureTable& at(const Source& source, const std::string& token, std::size_t features,
                   std::vector<int64_t> chosen = {});

  /// Calls visit(table) for each, rowless ones too, in order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, table] : tables_) visit(table);
  }

 private:
  Gathering gathering_;
  /// Keyed by source name (not Source: layer 9 comes behind layer 11 as a string) and token type.
  std::map<std::pair<std::string, std::string>, FeatureTable> tables_;
};

}  // namespace saescope
