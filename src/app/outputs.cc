#include "app/outputs.h"

#include <deque>
#include <map>
#include <optional>

#include "app/prompt_texts.h"
#include "app/report_page.h"
#include "base/atomic_file.h"
#include "report/output_rows.h"

namespace saescope {
namespace {

/// Complete files that wait to be put in place.
using Files = std::deque<AtomicFile>;

RowOrigin origin_of(const FeatureTable& table, const RunResults& results) {
  return {table.source(), table.token(), results.models.at(table.source().model).prepared->plan.entry.link};
}

/// The outputs that are made of statistics.
class StatisticsOutputs {
 public:
  /// @param page null: no report
  StatisticsOutputs(const RunResults& results, const RunInput& input, Files& files, ReportPage* page)
      : results_(results), input_(input), page_(page) {
    const Options& options = input.options;
    if (options.universal()) universal_ = &files.emplace_back(options.universal_output);
    if (universal_ != nullptr) universal_->write(kUniversalHeader);
    if (!options.contrast_output.empty()) contrast_ = &files.emplace_back(options.contrast_output);
    if (contrast_ != nullptr) contrast_->write(kContrastHeader);
  }

  void add(const FeatureTable& table, RunReport& report) {
    const RowOrigin origin = origin_of(table, results_);
    std::vector<UniversalFeature> universal;
    if (table.all_features()) universal = write_universal(table, origin, report);
    std::vector<ContrastRow> contrast;
    if (!input_.contrast.empty()) contrast = write_contrast(table, origin);
    if (page_ != nullptr) page_->add_table(table, universal, contrast);
  }

  void finish(RunReport& report) const {
    const Options& options = input_.options;
    report.rows.insert(report.rows.end(), contrast_summary_.begin(), contrast_summary_.end());
    if (universal_ != nullptr) report.add_file(options.universal_output, universal_rows_, "rows");
    if (contrast_ != nullptr) report.add_file(options.contrast_output, contrast_rows_, "rows");
  }

 private:
  std::vector<UniversalFeature> write_universal(const FeatureTable& table, const RowOrigin& origin,
                                                RunReport& report) {
    const uint64_t prompts = results_.models.at(origin.source.model).prepared->prompts.size();
    std::vector<UniversalFeature> features = table.statistics().finish(prompts, input_.options.threshold);
    for (const UniversalFeature& feature : features) {
      universal_->write(universal_row(origin, feature,
                                      input_.notes.notes(origin.source, origin.token, feature.feature_id)));
    }
    report.rows.push_back({"universal", origin.source.name(), origin.token, features.size()});
    universal_rows_ += features.size();
    return features;
  }

  std::vector<ContrastRow> write_contrast(const FeatureTable& table, const RowOrigin& origin) {
    const auto& per_label = results_.models.at(origin.source.model).prompts_per_label;
    std::vector<ContrastRow> rows = contrast_labels(*table.labels(), table.chosen(), per_label,
                                                    input_.contrast, input_.options.contrast_q);
    if (contrast_ == nullptr) return rows;
    for (const ContrastRow& row : rows) contrast_->write(contrast_row(origin, row, input_.labels.names()));
    contrast_summary_.push_back({"contrast", origin.source.name(), origin.token, rows.size()});
    contrast_rows_ += rows.size();
    return rows;
  }

  const RunResults& results_;
  const RunInput& input_;
  ReportPage* page_;
  AtomicFile* universal_ = nullptr;
  AtomicFile* contrast_ = nullptr;
  uint64_t universal_rows_ = 0;
  uint64_t contrast_rows_ = 0;
  std::vector<RunReport::Rows> contrast_summary_;  ///< shown behind the universal rows
};

void write_specific(RunResults& results, const RunInput& input, Files& files, RunReport& report) {
  const Options& options = input.options;
  const auto record_threshold =
      options.record_prompts ? std::optional(options.activation_threshold) : std::nullopt;
  const SpecificCounts counts = write_specific_outputs(results.specific, input.prompts,
                                                       options.specific_output, record_threshold, files);
  for (const SpecificTable& table : results.specific) {
    report.rows.push_back({"specific", table.origin().source.name(), table.origin().token, table.rows()});
  }
  report.add_file(options.specific_output, counts.rows, "rows");
  if (record_threshold) {
    report.add_file(active_prompts_path(options.specific_output.string()), counts.records, "records");
  }
}

void write_token_activations(RunResults& results, const RunInput& input, Files& files, ReportPage* page,
                             RunReport& report) {
  const std::filesystem::path& path = input.options.token_activations;
  AtomicFile& file = files.emplace_back(path);
  uint64_t records = 0;
  std::map<std::string, PromptTexts> texts_of_model;  // each opens its model's tokenizer, once
  for (SpecificTable& table : results.specific) {
    const PreparedModel& model = *results.models.at(table.origin().source.model).prepared;
    PromptTexts& texts =
        texts_of_model.try_emplace(model.plan.entry.name, model, input.prompts).first->second;
    std::vector<float> activations;
    table.rewind_tokens();
    table.for_each([&](std::size_t prompt, int64_t feature, float activation) {
      if (!table.is_active(activation)) return;
      const std::span<const std::string_view> tokens = texts.tokens(prompt);
      activations.resize(tokens.size());
      table.read_tokens(activations);
      file.write(token_activations_line(table.origin(), prompt, input.prompts[prompt].label, feature, tokens,
                                        activations));
      if (page != nullptr) page->add_tokens(table.origin(), feature, prompt, tokens, activations);
      ++records;
    });
  }
  report.add_file(path, records, "records");
}

}  // namespace

void check_outputs(const Options& options) {
  for (const NamedFile& output : options.outputs()) AtomicFile{output.path};
}

void write_outputs(RunResults& results, const RunInput& input, RunReport& report) {
  const Options& options = input.options;
  Files files;
  sort_tables(results.specific);
  std::optional<ReportPage> page;
  if (!options.report.empty()) page.emplace(results, input);
  ReportPage* const wanted_page = page ? &*page : nullptr;

  const Stopwatch writing;
  StatisticsOutputs statistics(results, input, files, wanted_page);
  results.tables.for_each([&](const FeatureTable& table) { statistics.add(table, report); });
  statistics.finish(report);
  if (options.specific()) write_specific(results, input, files, report);
  if (options.all_tokens()) write_token_activations(results, input, files, wanted_page, report);
  report.add_time("write", writing.seconds());
  if (page) {
    const Stopwatch drawing;
    page->write(report, files.emplace_back(options.report));
    report.files.push_back(options.report.string());
    report.add_time("report", drawing.seconds());
  }
  const Stopwatch committing;
  for (AtomicFile& file : files) file.flush();
  for (AtomicFile& file : files) file.commit();
  report.add_time("write", committing.seconds());
}

}  // namespace saescope
