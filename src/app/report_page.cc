#include "app/report_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <chrono>

#include "app/report_table.h"
#include "app/version.h"
#include "base/placeholders.h"
#include "report/csv.h"

namespace saescope {
namespace {

/// Activations at tokens that a page holds, about 6 bytes each.
constexpr uint64_t kMostTokenValues = 1'000'000;

/// The decimal that a float was read from, as the CSV files write it.
double as_decimal(float value) { return std::stod(format_float(value)); }

nlohmann::ordered_json decimals(std::span<const float> values) {
  auto json = nlohmann::ordered_json::array();
  for (const float value : values) json.push_back(as_decimal(value));
  return json;
}

}  // namespace

ReportPage::ReportPage(const RunResults& results, const RunInput& input)
    : results_(results), input_(input), prompts_(input.prompts.size()) {
  for (const SpecificTable& table : results.specific) {
    specific_[{table.origin().source.name(), table.origin().token}] = &table;
  }
}

void ReportPage::add_table(const FeatureTable& table, const std::vector<UniversalFeature>& universal,
                           std::span<const ContrastRow> contrast) {
  const TableKey key = {table.source().name(), table.token()};
  std::set<std::size_t> chosen;  // positions
  if (const auto specific = specific_.find(key); specific != specific_.end()) {
    const auto features = specific->second->features();
    for (std::size_t i = 0; i < features.size(); ++i) {
      chosen.insert(table.all_features() ? static_cast<std::size_t>(features[i]) : i);
    }
  }
  const ReportTable shown(table, universal, chosen);
  for (const std::size_t row : shown.rows()) {
    for (const StrongPrompt& strong : table.details()->strongest(row)) {
      if (strong.activation > 0) prompts_.position(strong.prompt_idx);
    }
  }
  if (input_.options.all_tokens()) want_tokens(table, chosen);
  const auto& per_label = results_.models.at(table.source().model).prompts_per_label;
  Json json = describe_table(table);
  json.update(shown.to_json(per_label, prompts_.positions(), data_));
  json["descriptions"] = describe_notes(table, shown.rows());
  json["token_activations"] = Json::array();
  json["contrast"] = input_.contrast.empty() ? Json() : contrast_json(contrast, data_);
  tables_.emplace(key, std::move(json));
}

void ReportPage::want_tokens(const FeatureTable& table, const std::set<std::size_t>& chosen) {
  for (const std::size_t position : chosen) {
    for (const StrongPrompt& strong : table.details()->strongest(position)) {
      if (strong.activation <= 0) continue;
      wanted_tokens_.emplace(TableKey(table.source().name(), table.token()), table.feature_id(position),
                             strong.prompt_idx);
    }
  }
}

void ReportPage::add_tokens(const RowOrigin& origin, int64_t feature_id, std::size_t prompt_idx,
                            std::span<const std::string_view> tokens, std::span<const float> activations) {
  const TableKey key = {origin.source.name(), origin.token};
  if (!wanted_tokens_.contains({key, feature_id, prompt_idx})) return;
  if (token_values_ + activations.size() > kMostTokenValues) {
    ++left_out_records_;
    return;
  }
  token_values_ += activations.size();
  const uint32_t position = prompts_.position(prompt_idx);
  tables_.at(key)["token_activations"].push_back(
      {{"feature_id", feature_id}, {"prompt", position}, {"activations", decimals(activations)}});
  if (!tokenized_.emplace(origin.source.model, position).second) return;
  tokens_.push_back({{"model", origin.source.model},
                     {"prompt", position},
                     {"tokens", std::vector<std::string>(tokens.begin(), tokens.end())}});
}

PageData::Json ReportPage::describe_table(const FeatureTable& table) const {
  const Source& source = table.source();
  const RunModel& model = results_.models.at(source.model);
  return {{"source", source.name()},
          {"model", source.model},
          {"trainer", source.trainer},
          {"layer", source.layer},
          {"token", table.token()},
          {"sae", results_.sae_of_source.at(source.name()).path},
          {"dict_size", results_.sae_of_source.at(source.name()).dict_size},
          {"prompts", model.prepared->prompts.size()},
          {"prompts_per_label", model.prompts_per_label},
          {"link",
           fill_placeholders(model.prepared->plan.entry.link, {{"layer", std::to_string(source.layer)}})}};
}

PageData::Json ReportPage::describe_notes(const FeatureTable& table,
                                          const std::vector<std::size_t>& rows) const {
  Json json = Json::object();
  for (const std::size_t row : rows) {
    const int64_t id = table.feature_id(row);
    const FeatureNotes notes = input_.notes.notes(table.source(), table.token(), id);
    if (notes.empty()) continue;
    Json& of_feature = json[std::to_string(id)] = Json::object();
    if (!notes.chat_desc.empty()) of_feature["chat"] = notes.chat_desc;
    if (!notes.pt_desc.empty()) of_feature["pt"] = notes.pt_desc;
    if (!notes.type.empty()) of_feature["type"] = notes.type;
  }
  return json;
}

PageData::Json ReportPage::describe_models() const {
  Json models = Json::array();
  for (const ModelPlan& plan : input_.selection.models) {
    const RunModel& model = results_.models.at(plan.entry.name);
    models.push_back({{"name", plan.entry.name},
                      {"model", plan.entry.model},
                      {"prompts", model.prepared->prompts.size()},
                      {"left_out", model.prepared->left_out},
                      {"prompts_per_label", model.prompts_per_label}});
  }
  return models;
}

PageData::Json ReportPage::describe_run(const RunReport& report) {
  const Options& options = input_.options;
  Json stages = Json::array();
  for (const RunReport::Stage& stage : report.stages) {
    stages.push_back({{"name", stage.name}, {"seconds", stage.seconds}, {"peak_bytes", stage.peak_bytes}});
  }
  Json edges = Json::array();
  for (std::size_t bin = 0; bin < FeatureDetails::kBins; ++bin) {
    edges.push_back(as_decimal(FeatureDetails::lower_edge(bin)));
  }
  edges.push_back(nullptr);
  Json notes = report.notes;
  if (left_out_records_ > 0) {
    notes.push_back(fmt::format("{} records of token activations are not on this page", left_out_records_));
  }
  constexpr std::array kAnalyses = {"universal", "specific", "both"};
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {{"format", 1},
          {"program", {{"name", "run_sae_analysis"}, {"version", kVersion}}},
          {"created", fmt::format("{:%FT%TZ}", fmt::gmtime(now))},
          {"command", input_.command},
          {"analysis", kAnalyses[static_cast<std::size_t>(*options.analysis)]},
          {"threshold", options.threshold},
          {"activation_threshold", as_decimal(options.activation_threshold)},
          {"contrast_q", options.contrast_q},
          {"dtype", options.dtype == Precision::kFp32 ? "fp32" : "bf16"},
          {"device", report.device},
          {"stages", stages},
          {"notes", notes},
          {"labels", input_.labels.names()},
          {"models", describe_models()},
          {"prompts", prompts_.to_json(input_.prompts, input_.labels)},
          {"distribution_edges", edges},
          {"strongest_per_label", FeatureDetails::kStrongest}};
}

void ReportPage::write(const RunReport& report, AtomicFile& file) {
  Json run = describe_run(report);
  Json& tables = run["tables"] = Json::array();
  for (auto& [key, table] : tables_) tables.push_back(std::move(table));
  run["tokenized"] = std::move(tokens_);
  data_.write(run, [&](std::string_view text) { file.write(text); });
}

}  // namespace saescope
