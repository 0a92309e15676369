#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/feature_notes.h"
#include "analysis/feature_statistics.h"
#include "analysis/label_contrast.h"
#include "analysis/prompts.h"
#include "analysis/sources.h"

namespace saescope {

/// Which source, token type and dashboard a row belongs to.
struct RowOrigin {
  Source source;
  std::string token;
  std::string link_template;  ///< with {layer} and {feature_id}; may be empty

  std::string link(int64_t feature_id) const;
};

/// First lines of the CSV files, line end included.
std::string universal_header();
std::string specific_header();
std::string contrast_header();

/// The column `against` where a label is compared with the prompts of all others.
inline constexpr std::string_view kTheRest = "rest";

/// One line of the universal CSV, line end included.
std::string universal_row(const RowOrigin& origin, const FeatureSummary& feature, const FeatureNotes& notes);

/// One line of the specific CSV, line end included.
std::string specific_row(const RowOrigin& origin, uint64_t prompt_idx, const Prompt& prompt,
                         int64_t feature_id, float activation);

/// One line of the contrast CSV, line end included. Numbers are float64. @param labels by position
std::string contrast_row(const RowOrigin& origin, const ContrastRow& row,
                         const std::vector<std::string>& labels);

/// One line of the recorded prompts' JSONL, line end included; formatted
/// as Python's json.dumps(record, ensure_ascii=False) does.
std::string active_prompt_line(const RowOrigin& origin, const Prompt& prompt, int64_t feature_id,
                               float activation);

/// One line of the token activations' JSONL, line end included, formatted likewise.
/// @param tokens texts that join to the rendered prompt @param activations [tokens]
std::string token_activations_line(const RowOrigin& origin, uint64_t prompt_idx, std::string_view label,
                                   int64_t feature_id, std::span<const std::string_view> tokens,
                                   std::span<const float> activations);

/// `{csv_basename}_activeprompts.jsonl` beside the specific CSV.
std::string active_prompts_path(std::string_view specific_csv_path);

}  // namespace saescope
