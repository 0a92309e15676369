#include "app/outputs.h"

#include <fmt/format.h>

#include <deque>
#include <optional>

#include "app/prompt_texts.h"
#include "base/atomic_file.h"
#include "report/output_rows.h"

namespace saescope {
namespace {

/// Complete files that wait to be put in place.
using Files = std::deque<AtomicFile>;

RowOrigin origin_of(const FeatureTable& table, const RunResults& results) {
  return {table.source(), table.token(), results.models.at(table.source().model).prepared->plan.entry.link};
}

void write_universal(const RunResults& results, const RunInput& input, Files& files, RunReport& report) {
  const Options& options = input.options;
  AtomicFile& file = files.emplace_back(options.universal_output);
  file.write(kUniversalHeader);
  uint64_t rows = 0;
  results.tables.for_each([&](const FeatureTable& table) {
    if (!table.all_features()) return;
    const RowOrigin origin = origin_of(table, results);
    const uint64_t prompts = results.models.at(origin.source.model).prepared->prompts.size();
    const auto features = table.statistics().finish(prompts, options.threshold);
    for (const UniversalFeature& feature : features) {
      file.write(
          universal_row(origin, feature, input.notes.notes(origin.source, origin.token, feature.feature_id)));
    }
    report.rows.push_back({"universal", origin.source.name(), origin.token, features.size()});
    rows += features.size();
  });
  report.files.push_back(fmt::format("{} ({} rows)", options.universal_output.string(), rows));
}

void write_specific(RunResults& results, const RunInput& input, Files& files, RunReport& report) {
  const Options& options = input.options;
  const auto record_threshold =
      options.record_prompts ? std::optional(options.activation_threshold) : std::nullopt;
  const SpecificCounts counts = write_specific_outputs(results.specific, input.prompts,
                                                       options.specific_output, record_threshold, files);
  for (const SpecificTable& table : results.specific) {
    report.rows.push_back({"specific", table.origin().source.name(), table.origin().token, table.rows()});
  }
  report.files.push_back(fmt::format("{} ({} rows)", options.specific_output.string(), counts.rows));
  if (record_threshold) {
    report.files.push_back(fmt::format(
        "{} ({} records)", active_prompts_path(options.specific_output.string()), counts.records));
  }
}

void write_token_activations(RunResults& results, const RunInput& input, Files& files, RunReport& report) {
  const std::filesystem::path& path = input.options.token_activations;
  AtomicFile& file = files.emplace_back(path);
  uint64_t records = 0;
  for (SpecificTable& table : results.specific) {
    PromptTexts texts(*results.models.at(table.origin().source.model).prepared, input.prompts);
    std::vector<float> activations;
    table.rewind_tokens();
    table.for_each([&](std::size_t prompt, int64_t feature, float activation) {
      if (!table.is_active(activation)) return;
      const std::span<const std::string_view> tokens = texts.tokens(prompt);
      activations.resize(tokens.size());
      table.read_tokens(activations);
      file.write(token_activations_line(table.origin(), prompt, input.prompts[prompt].label, feature, tokens,
                                        activations));
      ++records;
    });
  }
  report.files.push_back(fmt::format("{} ({} records)", path.string(), records));
}

void write_contrast(const RunResults& results, const RunInput& input, Files& files, RunReport& report) {
  const Options& options = input.options;
  AtomicFile& file = files.emplace_back(options.contrast_output);
  file.write(kContrastHeader);
  uint64_t rows = 0;
  results.tables.for_each([&](const FeatureTable& table) {
    const RowOrigin origin = origin_of(table, results);
    const auto& per_label = results.models.at(origin.source.model).prompts_per_label;
    const auto contrast =
        contrast_labels(*table.labels(), table.chosen(), per_label, input.contrast, options.contrast_q);
    for (const ContrastRow& row : contrast) {
      file.write(contrast_row(origin, row, input.labels.names()));
    }
    report.rows.push_back({"contrast", origin.source.name(), origin.token, contrast.size()});
    rows += contrast.size();
  });
  report.files.push_back(fmt::format("{} ({} rows)", options.contrast_output.string(), rows));
}

}  // namespace

void check_outputs(const Options& options) {
  for (const NamedFile& output : options.outputs()) AtomicFile{output.path};
}

void write_outputs(RunResults& results, const RunInput& input, RunReport& report) {
  const Options& options = input.options;
  Files files;
  sort_tables(results.specific);
  if (options.universal()) write_universal(results, input, files, report);
  if (options.specific()) write_specific(results, input, files, report);
  if (options.all_tokens()) write_token_activations(results, input, files, report);
  if (!options.contrast_output.empty()) write_contrast(results, input, files, report);
  for (AtomicFile& file : files) file.flush();
  for (AtomicFile& file : files) file.commit();
}

}  // namespace saescope
