#include "output/page/run_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/csv.h"
#include "base/version.h"
#include "output/page/page_table.h"

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

RunPage::RunPage(const Results& results, const OutputSettings& settings)
    : results_(results), settings_(settings), prompts_(results.prompts->size()) {
  for (const ChosenActivations& chosen : results.chosen) {
    chosen_[{chosen.source().name(), chosen.token()}] = &chosen;
  }
}

void RunPage::add_table(const FeatureTable& table, const std::vector<FeatureSummary>& universal,
                        std::span<const ContrastRow> contrast) {
  const TableKey key = {table.source().name(), table.token()};
  std::set<std::size_t> chosen;  // positions
  if (const auto found = chosen_.find(key); found != chosen_.end()) {
    const auto features = found->second->features();
    for (std::size_t i = 0; i < features.size(); ++i) {
      chosen.insert(table.all_features() ? static_cast<std::size_t>(features[i]) : i);
    }
  }
  const PageTable shown(table, universal, chosen);
  for (const std::size_t row : shown.rows()) {
    for (const StrongPrompt& strong : table.details()->strongest(row)) {
      if (strong.activation > 0) prompts_.position(strong.prompt_idx);
    }
  }
  if (!settings_.token_activations.empty()) want_tokens(table, chosen);
  const auto& per_label = results_.model(table.source().model).prompts_per_label;
  Json json = describe_table(table);
  json.update(shown.to_json(per_label, prompts_.positions(), data_));
  json["descriptions"] = describe_notes(table, shown.rows());
  json["token_activations"] = Json::array();
  json["contrast"] = settings_.pairs.empty() ? Json() : contrast_json(contrast, data_);
  tables_.emplace(key, std::move(json));
}

void RunPage::want_tokens(const FeatureTable& table, const std::set<std::size_t>& chosen) {
  for (const std::size_t position : chosen) {
    for (const StrongPrompt& strong : table.details()->strongest(position)) {
      if (strong.activation <= 0) continue;
      wanted_tokens_.emplace(TableKey(table.source().name(), table.token()), table.feature_id(position),
                             strong.prompt_idx);
    }
  }
}

void RunPage::add_tokens(const TokenActivations& at) {
  const std::string& model = at.origin.source.model;
  const TableKey key = {at.origin.source.name(), at.origin.token};
  if (!wanted_tokens_.contains({key, at.feature_id, at.prompt_idx})) return;
  if (token_values_ + at.activations.size() > kMostTokenValues) {
    ++left_out_records_;
    return;
  }
  token_values_ += at.activations.size();
  const uint32_t position = prompts_.position(at.prompt_idx);
  tables_.at(key)["token_activations"].push_back(
      {{"feature_id", at.feature_id}, {"prompt", position}, {"activations", decimals(at.activations)}});
  if (!tokenized_.emplace(model, position).second) return;
  tokens_.push_back({{"model", model},
                     {"prompt", position},
                     {"tokens", std::vector<std::string>(at.tokens.begin(), at.tokens.end())}});
}

PageData::Json RunPage::describe_table(const FeatureTable& table) const {
  const Source& source = table.source();
  const ModelResults& model = results_.model(source.model);
  return {{"source", source.name()},
          {"model", source.model},
          {"trainer", source.trainer},
          {"layer", source.layer},
          {"token", table.token()},
          {"sae", results_.saes.at(source.name()).path},
          {"dict_size", results_.saes.at(source.name()).dict_size},
          {"prompts", model.prompts},
          {"prompts_per_label", model.prompts_per_label},
          {"link", model.entry.link_of(source.trainer, source.layer)}};
}

PageData::Json RunPage::describe_notes(const FeatureTable& table,
                                       const std::vector<std::size_t>& rows) const {
  Json json = Json::object();
  for (const std::size_t row : rows) {
    const int64_t id = table.feature_id(row);
    const FeatureNotes notes = settings_.notes(table.source(), table.token(), id);
    if (notes.empty()) continue;
    Json& of_feature = json[std::to_string(id)] = Json::object();
    if (!notes.chat_desc.empty()) of_feature["chat"] = notes.chat_desc;
    if (!notes.pt_desc.empty()) of_feature["pt"] = notes.pt_desc;
    if (!notes.type.empty()) of_feature["type"] = notes.type;
  }
  return json;
}

PageData::Json RunPage::describe_models() const {
  Json models = Json::array();
  for (const ModelResults& model : results_.models) {
    models.push_back({{"name", model.entry.name},
                      {"model", model.entry.model},
                      {"prompts", model.prompts},
                      {"left_out", model.left_out},
                      {"prompts_per_label", model.prompts_per_label}});
  }
  return models;
}

PageData::Json RunPage::describe_run(const RunDescription& run) {
  const RunSummary& summary = results_.summary;
  Json stages = Json::array();
  for (const RunSummary::Stage& stage : summary.stages) {
    stages.push_back({{"name", stage.name}, {"seconds", stage.seconds}, {"peak_bytes", stage.peak_bytes}});
  }
  Json edges = Json::array();
  for (std::size_t bin = 0; bin < FeatureDetails::kBins; ++bin) {
    edges.push_back(as_decimal(FeatureDetails::lower_edge(bin)));
  }
  edges.push_back(nullptr);
  Json notes = summary.notes;
  if (left_out_records_ > 0) {
    notes.push_back(fmt::format("{} records of token activations are not on this page", left_out_records_));
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {{"format", 1},
          {"program", {{"name", "run_sae_analysis"}, {"version", kVersion}}},
          {"created", fmt::format("{:%FT%TZ}", fmt::gmtime(now))},
          {"command", run.command},
          {"analysis", run.analysis},
          {"threshold", settings_.threshold},
          {"activation_threshold", as_decimal(run.activation_threshold)},
          {"contrast_q", settings_.contrast_q},
          {"dtype", run.dtype},
          {"device", summary.device},
          {"stages", stages},
          {"notes", notes},
          {"labels", results_.labels->names()},
          {"models", describe_models()},
          {"prompts", prompts_.to_json(*results_.prompts, *results_.labels)},
          {"distribution_edges", edges},
          {"strongest_per_label", FeatureDetails::kStrongest}};
}

void RunPage::write(const RunDescription& description, AtomicFile& file) {
  Json run = describe_run(description);
  Json& tables = run["tables"] = Json::array();
  for (auto& [key, table] : tables_) tables.push_back(std::move(table));
  run["tokenized"] = std::move(tokens_);
  data_.write(run, [&](std::string_view text) { file.write(text); });
}

}  // namespace saescope
