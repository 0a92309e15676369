#include "cli/run_request.h"

#include <memory>
#include <utility>

#include "base/output_target.h"
#include "cli/configuration.h"
#include "cli/contrast_pairs.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "input/features_csv.h"
#include "input/prompts_reader.h"

namespace saescope {
namespace {

/// The disk that is to hold the results has room for what is set aside meanwhile.
std::filesystem::path spool_folder(const Options& options) {
  for (const NamedFile& output : options.outputs()) {
    const OutputTarget target = find_output_target(output.path);
    if (target.stream) continue;
    return target.path.has_parent_path() ? target.path.parent_path() : std::filesystem::path(".");
  }
  return std::filesystem::temp_directory_path();
}

ResultSettings results_of(const Options& options) {
  return {.activation_threshold = options.activation_threshold,
          .by_label = options.gathers(),
          .details = options.gathers() && !options.report.empty(),
          .all_tokens = options.all_tokens(),
          .activations = !options.activations.empty(),
          .spool_folder = spool_folder(options)};
}

}  // namespace

RunRequest read_request(const Options& options, Commands commands, Progress& progress) {
  RunRequest request;
  RunPlan& plan = request.plan;
  plan.prompts =
      std::make_shared<const Prompts>(read_prompts(options.prompts_path, {options.content_key, &progress}));
  plan.prompts_place = options.prompts_path.string();
  plan.limits = options.limits;
  plan.compute = options.compute;
  // Without a stage the flag is warned of, and means nothing.
  const Share share = options.stage == Stage::kWhole ? Share{} : options.task.value_or(Share{});
  plan.task = {options.stage, share, std::move(commands.of_stages)};
  plan.keep = results_of(options);
  request.outputs = options.output_settings();
  request.description = {.command = std::move(commands.whole),
                         .analysis = options.analysis ? word_of(*options.analysis, kAnalysisWords) : "",
                         .dtype = word_of(options.compute.dtype, kPrecisionWords),
                         .activation_threshold = options.activation_threshold};
  if (options.gathers()) request.outputs.pairs = contrast_pairs(options, Labels(*plan.prompts));
  if (options.specific()) plan.requested = read_features_csv(options.features_csv, progress);
  Selection selection = select_work(options, read_configuration(options, plan.requested), plan.requested);
  for (const std::string& warning : selection.warnings) progress.warn(warning);
  plan.models = std::move(selection.models);
  return request;
}

void read_notes(const DescriptionPaths& paths, RunRequest& request, Progress& progress) {
  const RunPlan& plan = request.plan;
  const auto known = std::make_shared<const KnownNotes>(plan.requested, plan.models, paths, progress);
  request.outputs.notes = [known](const Source& source, const std::string& token, int64_t feature_id) {
    return known->notes(source, token, feature_id);
  };
}

}  // namespace saescope
