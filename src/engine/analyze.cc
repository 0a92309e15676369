#include "engine/analyze.h"

#include <fmt/format.h>

#include <deque>
#include <utility>

#include "base/error.h"
#include "base/process_memory.h"
#include "base/usable_resources.h"
#include "engine/backend_choice.h"
#include "engine/cache_folder.h"
#include "engine/model_activations.h"
#include "engine/model_run.h"
#include "engine/source_share.h"
#include "engine/stages.h"

namespace saescope {
namespace {

/// Statistics by label grow with the number of labels, which is a matter of the prompts.
/// @throws InputError where they do not fit into the memory that this process may use
void require_room_for_labels(const std::deque<OpenedModel>& models, const RunPlan& plan,
                             const StatisticsSettings& statistics) {
  uint64_t bytes = 0;
  const Share share = plan.task.stage == Stage::kFinish ? Share{} : plan.task.share;
  for (const OpenedModel& model : models) bytes += statistics_bytes(model, share, statistics);
  if (statistics.labels == nullptr || bytes <= usable_memory()) return;
  throw InputError(
      {.what = fmt::format("the statistics of {} labels do not fit into memory", statistics.labels->size()),
       .where = plan.prompts_place,
       .expected = "at most " + format_bytes(usable_memory()),
       .found = format_bytes(bytes),
       .hint = "use fewer labels, layers or token types, or leave out --contrast-output and --report"});
}

/// Floating-point operations of a model's products for all tokens of all prompts, and of its SAEs where all
/// features are wanted: more than are computed, since prompts share prefixes.
double operations_of(const OpenedModel& model) {
  double of_token = 0;
  for (const LayerWeights& layer : model.checkpoint.model.weights.layers)
    of_token += static_cast<double>(layer.elements());
  double of_activation = 0;
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) {
      if (!source.plan->universal) continue;
      of_activation += static_cast<double>(source.work.end - source.work.begin);
    }
  }
  return 2 * (of_token * static_cast<double>(model.prepared.prompts.total_tokens()) +
              of_activation * static_cast<double>(model.prepared.prompts.size()));
}

std::deque<OpenedModel> open_models(const RunPlan& plan, Hub& hub, const Context& context) {
  const bool computes = plan.task.stage == Stage::kWhole || plan.task.stage == Stage::kForward;
  const LocalCopies copies(computes ? plan.compute.local_copy : "", context);
  std::deque<OpenedModel> models;
  for (const ModelPlan& model : plan.models) {
    PreparedModel prepared = prepare_model(model, plan, hub, context);
    models.push_back(open_model(std::move(prepared), plan.requested, copies, hub, *context.progress));
  }
  place_in_work(models);
  return models;
}

void run_whole(const StageInputs& inputs, Results& results) {
  for (const OpenedModel& model : inputs.models) {
    ModelRun run(model, inputs.plan, inputs.plan.task.share, inputs.statistics, inputs.backend,
                 inputs.context);
    run.wire_tables(results);
    run.wire_activations(results);
    const ModelActivations activations(model, inputs.plan, run.analysis_bytes(), inputs.backend,
                                       inputs.context);
    run.encode(activations, nullptr, results);
  }
}

void run_stage(Stage stage, const StageInputs& inputs, Results& results) {
  switch (stage) {
    case Stage::kWhole:
      return run_whole(inputs, results);
    case Stage::kForward:
      return run_forward_stage(inputs, results);
    case Stage::kEncode:
      return run_encode_stage(inputs, results);
    case Stage::kFinish:
      return run_finish_stage(inputs, results);
  }
}

}  // namespace

Results analyze(const RunPlan& plan, Hub& hub, const Context& context) {
  Results results;
  const Stopwatch preparing;
  results.prompts = plan.prompts;
  results.labels = std::make_shared<const Labels>(*plan.prompts);
  std::deque<OpenedModel> models = open_models(plan, hub, context);
  double operations = 0;
  for (const OpenedModel& model : models) operations += operations_of(model);
  const ChosenBackend chosen = choose_backend(plan.compute.device, operations, context);
  const std::unique_ptr<Backend>& backend = chosen.backend;
  for (OpenedModel& model : models) model.checkpoint.model.weights.bind_to(*backend);
  trim_heap();  // tokenizers and lists that grew
  results.summary.add_time("prepare", preparing.seconds());
  results.summary.device = backend->description() + (chosen.reason.empty() ? "" : "; " + chosen.reason);

  const StatisticsSettings statistics = {.activation_threshold = plan.keep.activation_threshold,
                                         .labels = plan.keep.by_label ? results.labels : nullptr,
                                         .details = plan.keep.details};
  if (plan.task.stage != Stage::kForward) require_room_for_labels(models, plan, statistics);
  run_stage(plan.task.stage, {models, plan, statistics, *backend, context}, results);
  sort_by_source(results.chosen);
  const auto store = store_of(plan.compute);
  const auto limit = limit_of_store(plan);
  if (store && limit) trim_store(*store, *limit, *context.progress);
  return results;
}

}  // namespace saescope
