#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "app/pipeline.h"
#include "app/report_prompts.h"
#include "app/run_report.h"
#include "app/run_results.h"
#include "base/atomic_file.h"
#include "report/page_data.h"

namespace saescope {

/// Puts the report page of a run together: tables one after the other, then the tokens, then it is written.
class ReportPage {
 public:
  /// @param results, input must outlive this
  ReportPage(const RunResults& results, const RunInput& input);

  /// @param universal rows of the universal CSV @param contrast rows of the contrast CSV
  void add_table(const FeatureTable& table, const std::vector<UniversalFeature>& universal,
                 std::span<const ContrastRow> contrast);

  /// Shows a feature's activations at the tokens of a prompt, if the prompt is among its strongest ones.
  /// @param tokens texts, parallel to the activations
  void add_tokens(const RowOrigin& origin, int64_t feature_id, std::size_t prompt_idx,
                  std::span<const std::string_view> tokens, std::span<const float> activations);

  void write(const RunReport& report, AtomicFile& file);

 private:
  using Json = PageData::Json;
  using TableKey = std::pair<std::string, std::string>;  ///< source name, token type

  Json describe_table(const FeatureTable& table) const;
  Json describe_models() const;
  Json describe_notes(const FeatureTable& table, const std::vector<std::size_t>& rows) const;
  Json describe_run(const RunReport& report);
  void want_tokens(const FeatureTable& table, const std::set<std::size_t>& chosen);

  const RunResults& results_;
  const RunInput& input_;
  PageData data_;
  ReportPrompts prompts_;
  std::map<TableKey, Json> tables_;
  std::map<TableKey, const SpecificTable*> specific_;
  std::set<std::tuple<TableKey, int64_t, std::size_t>> wanted_tokens_;
  std::set<std::pair<std::string, uint32_t>> tokenized_;  ///< model, position of the prompt
  Json tokens_ = Json::array();
  uint64_t token_values_ = 0;
  uint64_t left_out_records_ = 0;
};

}  // namespace saescope
