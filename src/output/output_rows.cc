#include "output/output_rows.h"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>

#include "base/csv.h"
#include "base/json_text.h"
#include "base/placeholders.h"

namespace saescope {
namespace {

/// The three columns both CSV files end with.
void append_origin(std::string& row, const RowOrigin& origin, int64_t feature_id) {
  append_csv_field(row, origin.source.name());
  row += ',';
  append_csv_field(row, origin.token);
  row += ',';
  append_csv_field(row, origin.link(feature_id));
  row += '\n';
}

void append_member(std::string& line, std::string_view key, std::string_view text) {
  fmt::format_to(std::back_inserter(line), "\"{}\": ", key);
  append_json_string(line, text);
}

}  // namespace

std::string RowOrigin::link(int64_t feature_id) const {
  return fill_placeholders(
      link_template, {{"layer", std::to_string(source.layer)}, {"feature_id", std::to_string(feature_id)}});
}

std::string universal_row(const RowOrigin& origin, const FeatureSummary& feature, const FeatureNotes& notes) {
  std::string row = fmt::format("{},{},{},{},{},", feature.feature_id, format_float(feature.activation_mean),
                                format_float(feature.activation_max), format_float(feature.activation_min),
                                feature.num_prompts);
  for (const std::string* note : {&notes.chat_desc, &notes.pt_desc, &notes.type}) {
    append_csv_field(row, *note);
    row += ',';
  }
  append_origin(row, origin, feature.feature_id);
  return row;
}

std::string specific_row(const RowOrigin& origin, uint64_t prompt_idx, const Prompt& prompt,
                         int64_t feature_id, float activation) {
  std::string row = fmt::format("{},", prompt_idx);
  append_csv_field(row, prompt.content);
  row += ',';
  append_csv_field(row, prompt.label);
  fmt::format_to(std::back_inserter(row), ",{},{},", feature_id, format_float(activation));
  append_origin(row, origin, feature_id);
  return row;
}

std::string contrast_row(const RowOrigin& origin, const ContrastRow& row,
                         const std::vector<std::string>& labels) {
  std::string line = fmt::format("{},", row.feature_id);
  append_csv_field(line, labels[row.pair.label]);
  line += ',';
  append_csv_field(line, row.pair.against ? std::string_view(labels[*row.pair.against]) : kTheRest);
  for (const double number : {row.rate_label, row.rate_against, row.mean_label, row.mean_against,
                              row.rate_difference, row.odds_ratio, row.p_value, row.q_value}) {
    line += ',';
    line += format_double(number);
  }
  line += ',';
  append_origin(line, origin, row.feature_id);
  return line;
}

std::string active_prompt_line(const RowOrigin& origin, const Prompt& prompt, int64_t feature_id,
                               float activation) {
  std::string line = "{";
  append_member(line, "model", origin.source.model);
  fmt::format_to(std::back_inserter(line), ", \"layer\": {}, \"feature_id\": {}, ", origin.source.layer,
                 feature_id);
  append_member(line, "prompt", prompt.content);
  line += ", ";
  append_member(line, "label", prompt.label);
  fmt::format_to(std::back_inserter(line), ", \"activation\": {}, ", format_float(activation));
  append_member(line, "token_type", origin.token);
  line += "}\n";
  return line;
}

std::string token_activations_line(const RowOrigin& origin, uint64_t prompt_idx, std::string_view label,
                                   int64_t feature_id, std::span<const std::string_view> tokens,
                                   std::span<const float> activations) {
  std::string line = "{";
  append_member(line, "model", origin.source.model);
  fmt::format_to(std::back_inserter(line), ", \"layer\": {}, \"feature_id\": {}, \"prompt_idx\": {}, ",
                 origin.source.layer, feature_id, prompt_idx);
  append_member(line, "label", label);
  line += ", ";
  append_member(line, "token_type", origin.token);
  line += ", \"tokens\": [";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) line += ", ";
    append_json_string(line, tokens[i]);
  }
  line += "], \"activations\": [";
  for (std::size_t i = 0; i < activations.size(); ++i) {
    if (i > 0) line += ", ";
    line += format_float(activations[i]);
  }
  return line + "]}\n";
}

std::string active_prompts_path(std::string_view specific_csv_path) {
  const std::filesystem::path csv(specific_csv_path);
  return (csv.parent_path() / (csv.stem().string() + "_activeprompts.jsonl")).string();
}

}  // namespace saescope
