#include "output/outputs.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <utility>

#include "base/atomic_file.h"
#include "output/activations_file.h"
#include "output/output_rows.h"
#include "output/page/run_page.h"

namespace saescope {
namespace {

/// Complete files that wait to be put in place.
using Files = std::deque<AtomicFile>;

/// A file where one is wanted, begun with its header.
AtomicFile* begin_file(Files& files, const std::filesystem::path& path, std::string_view header) {
  if (path.empty()) return nullptr;
  AtomicFile& file = files.emplace_back(path);
  file.write(header);
  return &file;
}

RowOrigin origin_of(const Source& source, const std::string& token, const Results& results) {
  return {source, token, results.model(source.model).entry.link_of(source.trainer, source.layer)};
}

/// The outputs that are made of statistics.
class StatisticsOutputs {
 public:
  /// @param page null: no report
  StatisticsOutputs(const Results& results, const OutputSettings& settings, Files& files, RunPage* page)
      : results_(results),
        settings_(settings),
        page_(page),
        universal_(begin_file(files, settings.universal, universal_header())),
        contrast_(begin_file(files, settings.contrast, contrast_header())) {}

  void add(const FeatureTable& table, OutputSummary& summary) {
    const RowOrigin origin = origin_of(table.source(), table.token(), results_);
    std::vector<FeatureSummary> universal;
    if (table.all_features()) universal = write_universal(table, origin, summary);
    std::vector<ContrastRow> contrast;
    if (!settings_.pairs.empty()) contrast = write_contrast(table, origin);
    if (page_ != nullptr) page_->add_table(table, universal, contrast);
  }

  void finish(OutputSummary& summary) const {
    summary.rows.insert(summary.rows.end(), contrast_summary_.begin(), contrast_summary_.end());
    if (universal_ != nullptr) summary.add_file(settings_.universal, universal_rows_, "rows");
    if (contrast_ != nullptr) summary.add_file(settings_.contrast, contrast_rows_, "rows");
  }

 private:
  std::vector<FeatureSummary> write_universal(const FeatureTable& table, const RowOrigin& origin,
                                              OutputSummary& summary) {
    const uint64_t prompts = results_.model(origin.source.model).prompts;
    std::vector<FeatureSummary> features = table.statistics().finish(prompts, settings_.threshold);
    if (universal_ == nullptr) return features;
    for (const FeatureSummary& feature : features) {
      universal_->write(
          universal_row(origin, feature, settings_.notes(origin.source, origin.token, feature.feature_id)));
    }
    summary.rows.push_back({"universal", origin.source.name(), origin.token, features.size()});
    universal_rows_ += features.size();
    return features;
  }

  std::vector<ContrastRow> write_contrast(const FeatureTable& table, const RowOrigin& origin) {
    const auto& per_label = results_.model(origin.source.model).prompts_per_label;
    std::vector<ContrastRow> rows =
        contrast_labels(*table.labels(), table.chosen(), per_label, settings_.pairs, settings_.contrast_q);
    if (contrast_ == nullptr) return rows;
    for (const ContrastRow& row : rows) contrast_->write(contrast_row(origin, row, results_.labels->names()));
    contrast_summary_.push_back({"contrast", origin.source.name(), origin.token, rows.size()});
    contrast_rows_ += rows.size();
    return rows;
  }

  const Results& results_;
  const OutputSettings& settings_;
  RunPage* page_;
  AtomicFile* universal_;
  AtomicFile* contrast_;
  uint64_t universal_rows_ = 0;
  uint64_t contrast_rows_ = 0;
  std::vector<OutputSummary::Rows> contrast_summary_;  ///< shown behind the universal rows
};

/// Writes the specific CSV and, where they are wanted, the recorded prompts beside it.
void write_specific(Results& results, const OutputSettings& settings, float record_threshold, Files& files,
                    OutputSummary& summary) {
  AtomicFile& csv = *begin_file(files, settings.specific, specific_header());
  const std::filesystem::path records_path = settings.active_prompts();
  AtomicFile* const records = records_path.empty() ? nullptr : &files.emplace_back(records_path);
  uint64_t rows = 0;
  uint64_t recorded = 0;
  for (ChosenActivations& chosen : results.chosen) {
    const RowOrigin origin = origin_of(chosen.source(), chosen.token(), results);
    chosen.for_each([&](std::size_t idx, int64_t feature, float activation) {
      const Prompt prompt = (*results.prompts)[idx];
      csv.write(specific_row(origin, idx, prompt, feature, activation));
      ++rows;
      if (records == nullptr || activation < record_threshold || !(activation > 0)) return;
      records->write(active_prompt_line(origin, prompt, feature, activation));
      ++recorded;
    });
    summary.rows.push_back({"specific", chosen.source().name(), chosen.token(), chosen.rows()});
  }
  summary.add_file(settings.specific, rows, "rows");
  if (records != nullptr) summary.add_file(records_path, recorded, "records");
}

/// The parts of prompts that their tokens stand for. They are made again when they are written: a run keeps
/// ids alone.
class TokenTexts {
 public:
  TokenTexts(const ChatFormatter& formatter, const Prompts& prompts)
      : formatter_(formatter), prompts_(prompts) {}

  /// They join to the whole rendered prompt. Valid until the next call.
  std::span<const std::string_view> of(std::size_t prompt_idx) {
    if (prompt_idx_ == prompt_idx) return texts_;
    formatted_ = formatter_.format(prompts_[prompt_idx]);
    texts_ = formatter_.tokenizer().token_texts(formatted_.text);
    prompt_idx_ = prompt_idx;
    return texts_;
  }

 private:
  const ChatFormatter& formatter_;
  const Prompts& prompts_;
  std::optional<std::size_t> prompt_idx_;
  FormattedPrompt formatted_;
  std::vector<std::string_view> texts_;
};

void write_token_activations(Results& results, const OutputSettings& settings, Files& files, RunPage* page,
                             OutputSummary& summary) {
  AtomicFile& file = files.emplace_back(settings.token_activations);
  uint64_t records = 0;
  for (ChosenActivations& chosen : results.chosen) {
    const RowOrigin origin = origin_of(chosen.source(), chosen.token(), results);
    TokenTexts texts(*results.model(origin.source.model).formatter, *results.prompts);
    std::vector<float> activations;
    chosen.rewind_tokens();
    chosen.for_each([&](std::size_t prompt, int64_t feature, float activation) {
      if (!chosen.is_active(activation)) return;
      const std::span<const std::string_view> tokens = texts.of(prompt);
      activations.resize(tokens.size());
      chosen.read_tokens(activations);
      file.write(token_activations_line(origin, prompt, (*results.prompts)[prompt].label, feature, tokens,
                                        activations));
      if (page != nullptr) page->add_tokens({origin, feature, prompt, tokens, activations});
      ++records;
    });
  }
  summary.add_file(settings.token_activations, records, "records");
}

}  // namespace

void OutputSummary::add_file(const std::filesystem::path& path, uint64_t count, const char* what) {
  files.push_back(fmt::format("{} ({} {})", path.string(), count, what));
}

std::filesystem::path OutputSettings::active_prompts() const {
  return record_prompts && !specific.empty() ? active_prompts_path(specific.string()) : std::string();
}

void check_output(const std::filesystem::path& path) { AtomicFile{path}; }

OutputSummary write_outputs(Results& results, const OutputSettings& settings, const RunDescription& run) {
  OutputSummary summary;
  Files files;
  std::optional<RunPage> page;
  if (!settings.report.empty()) page.emplace(results, settings);
  RunPage* const wanted_page = page ? &*page : nullptr;
  const Stopwatch writing;
  StatisticsOutputs statistics(results, settings, files, wanted_page);
  results.tables.for_each([&](const FeatureTable& table) { statistics.add(table, summary); });
  statistics.finish(summary);
  if (!settings.specific.empty()) {
    write_specific(results, settings, run.activation_threshold, files, summary);
  }
  if (!settings.token_activations.empty()) {
    write_token_activations(results, settings, files, wanted_page, summary);
  }
  if (!settings.activations.empty()) {
    const uint64_t rows =
        write_activations(results, {{"dtype", run.dtype}}, files.emplace_back(settings.activations));
    summary.add_file(settings.activations, rows, "rows");
  }
  results.summary.add_time("write", writing.seconds());
  if (page) {
    const Stopwatch drawing;
    page->write(run, files.emplace_back(settings.report));
    summary.files.push_back(settings.report.string());
    results.summary.add_time("report", drawing.seconds());
  }
  const Stopwatch committing;
  for (AtomicFile& file : files) file.flush();
  // What is written through comes last: nobody can take it back.
  for (const bool through : {false, true}) {
    for (AtomicFile& file : files) {
      if (file.is_stream() == through) file.commit();
    }
  }
  results.summary.add_time("write", committing.seconds());
  return summary;
}

}  // namespace saescope
