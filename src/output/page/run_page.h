#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "engine/results.h"
#include "output/output_rows.h"
#include "output/output_settings.h"
#include "output/page/page_data.h"
#include "output/page/page_prompts.h"

namespace saescope {

/// A feature's activations at the tokens of a prompt.
struct TokenActivations {
  const RowOrigin& origin;
  int64_t feature_id;
  std::size_t prompt_idx;
  std::span<const std::string_view> tokens;  ///< their texts
  std::span<const float> activations;        ///< parallel
};

/// Puts the report page of a run together: tables one after the other, then the tokens, then it is written.
class RunPage {
 public:
  /// @param results, settings must outlive this
  RunPage(const Results& results, const OutputSettings& settings);

  /// @param universal rows of the universal CSV @param contrast rows of the contrast CSV
  void add_table(const FeatureTable& table, const std::vector<FeatureSummary>& universal,
                 std::span<const ContrastRow> contrast);

  /// Shows them, if the prompt is among the feature's strongest ones.
  void add_tokens(const TokenActivations& tokens);

  void write(const RunDescription& run, AtomicFile& file);

 private:
  using Json = PageData::Json;
  using TableKey = std::pair<std::string, std::string>;  ///< source name, token type

  Json describe_table(const FeatureTable& table) const;
  Json describe_models() const;
  Json describe_notes(const FeatureTable& table, const std::vector<std::size_t>& rows) const;
  Json describe_run(const RunDescription& run);
  void want_tokens(const FeatureTable& table, const std::set<std::size_t>& chosen);

  const Results& results_;
  const OutputSettings& settings_;
  PageData data_;
  PagePrompts prompts_;
  std::map<TableKey, Json> tables_;
  std::map<TableKey, const ChosenActivations*> chosen_;
  std::set<std::tuple<TableKey, int64_t, std::size_t>> wanted_tokens_;
  std::set<std::pair<std::string, uint32_t>> tokenized_;  ///< model, position of the prompt
  Json tokens_ = Json::array();
  uint64_t token_values_ = 0;
  uint64_t left_out_records_ = 0;
};

}  // namespace saescope
