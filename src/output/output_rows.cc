#include "output/output_rows.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <iterator>

#include "base/csv.h"
#include "base/json_text.h"
#include "base/placeholders.h"

namespace saescope {
namespace {

/// A column of a CSV file: its name, and how a row's value is written.
template <typename Row>
struct Column {
  std::string_view name;
  void (*append)(std::string& out, const Row& row);
};

template <typename Row, std::size_t kColumns>
std::string header_of(const std::array<Column<Row>, kColumns>& columns) {
  std::string line;
  for (const Column<Row>& column : columns) {
    if (!line.empty()) line += ',';
    line += column.name;
  }
  return line + '\n';
}

template <typename Row, std::size_t kColumns>
std::string line_of(const std::array<Column<Row>, kColumns>& columns, const Row& row) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (i > 0) line += ',';
    columns[i].append(line, row);
  }
  return line + '\n';
}

struct UniversalRow {
  const RowOrigin& origin;
  const FeatureSummary& feature;
  const FeatureNotes& notes;
  int64_t feature_id() const { return feature.feature_id; }
};
struct SpecificRow {
  const RowOrigin& origin;
  uint64_t prompt_idx;
  const Prompt& prompt;
  int64_t feature;
  float activation;
  int64_t feature_id() const { return feature; }
};
struct LabelledContrast {
  const RowOrigin& origin;
  const ContrastRow& row;
  const std::vector<std::string>& labels;
  int64_t feature_id() const { return row.feature_id; }
};

template <typename Row>
void append_id(std::string& out, const Row& row) {
  out += std::to_string(row.feature_id());
}
template <typename Row>
void append_source(std::string& out, const Row& row) {
  append_csv_field(out, row.origin.source.name());
}
template <typename Row>
void append_token(std::string& out, const Row& row) {
  append_csv_field(out, row.origin.token);
}
template <typename Row>
void append_link(std::string& out, const Row& row) {
  append_csv_field(out, row.origin.link(row.feature_id()));
}
template <float FeatureSummary::*kMember>
void append_activation(std::string& out, const UniversalRow& row) {
  out += format_float(row.feature.*kMember);
}
template <std::string FeatureNotes::*kMember>
void append_note(std::string& out, const UniversalRow& row) {
  append_csv_field(out, row.notes.*kMember);
}
template <double ContrastRow::*kMember>
void append_number(std::string& out, const LabelledContrast& row) {
  out += format_double(row.row.*kMember);
}

constexpr auto kUniversalColumns = std::to_array<Column<UniversalRow>>({
    {"feature_id", append_id},
    {"activation_mean", append_activation<&FeatureSummary::activation_mean>},
    {"activation_max", append_activation<&FeatureSummary::activation_max>},
    {"activation_min", append_activation<&FeatureSummary::activation_min>},
    {"num_prompts",
     [](std::string& out, const UniversalRow& row) { out += std::to_string(row.feature.num_prompts); }},
    {"chat_desc", append_note<&FeatureNotes::chat_desc>},
    {"pt_desc", append_note<&FeatureNotes::pt_desc>},
    {"type", append_note<&FeatureNotes::type>},
    {"source", append_source},
    {"token", append_token},
    {"link", append_link},
});

constexpr auto kSpecificColumns = std::to_array<Column<SpecificRow>>({
    {"prompt_idx", [](std::string& out, const SpecificRow& row) { out += std::to_string(row.prompt_idx); }},
    {"prompt", [](std::string& out, const SpecificRow& row) { append_csv_field(out, row.prompt.content); }},
    {"label", [](std::string& out, const SpecificRow& row) { append_csv_field(out, row.prompt.label); }},
    {"feature_id", append_id},
    {"activation", [](std::string& out, const SpecificRow& row) { out += format_float(row.activation); }},
    {"source", append_source},
    {"token", append_token},
    {"link", append_link},
});

constexpr auto kContrastColumns = std::to_array<Column<LabelledContrast>>({
    {"feature_id", append_id},
    {"label", [](std::string& out,
                 const LabelledContrast& row) { append_csv_field(out, row.labels[row.row.pair.label]); }},
    {"against",
     [](std::string& out, const LabelledContrast& row) {
       const auto& against = row.row.pair.against;
       append_csv_field(out, against ? std::string_view(row.labels[*against]) : kTheRest);
     }},
    {"rate_label", append_number<&ContrastRow::rate_label>},
    {"rate_against", append_number<&ContrastRow::rate_against>},
    {"mean_label", append_number<&ContrastRow::mean_label>},
    {"mean_against", append_number<&ContrastRow::mean_against>},
    {"rate_difference", append_number<&ContrastRow::rate_difference>},
    {"odds_ratio", append_number<&ContrastRow::odds_ratio>},
    {"p_value", append_number<&ContrastRow::p_value>},
    {"q_value", append_number<&ContrastRow::q_value>},
    {"source", append_source},
    {"token", append_token},
    {"link", append_link},
});

void append_member(std::string& line, std::string_view key, std::string_view text) {
  fmt::format_to(std::back_inserter(line), "\"{}\": ", key);
  append_json_string(line, text);
}

}  // namespace

std::string RowOrigin::link(int64_t feature_id) const {
  return fill_placeholders(
      link_template, {{"layer", std::to_string(source.layer)}, {"feature_id", std::to_string(feature_id)}});
}

std::string universal_header() { return header_of(kUniversalColumns); }
std::string specific_header() { return header_of(kSpecificColumns); }
std::string contrast_header() { return header_of(kContrastColumns); }

std::string universal_row(const RowOrigin& origin, const FeatureSummary& feature, const FeatureNotes& notes) {
  return line_of(kUniversalColumns, {origin, feature, notes});
}

std::string specific_row(const RowOrigin& origin, uint64_t prompt_idx, const Prompt& prompt,
                         int64_t feature_id, float activation) {
  return line_of(kSpecificColumns, {origin, prompt_idx, prompt, feature_id, activation});
}

std::string contrast_row(const RowOrigin& origin, const ContrastRow& row,
                         const std::vector<std::string>& labels) {
  return line_of(kContrastColumns, {origin, row, labels});
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
