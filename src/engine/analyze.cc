#include "engine/analyze.h"

#include <fmt/format.h>

#include <deque>
#include <utility>

#include "base/error.h"
#include "base/process_memory.h"
#include "base/usable_resources.h"
#include "engine/activation_cache.h"
#include "engine/backend_choice.h"
#include "engine/model_run.h"

namespace saescope {
namespace {

/// Statistics by label grow with the number of labels, which is a matter of the prompts.
/// @throws InputError where they do not fit into the memory that this process may use
void require_room_for_labels(const std::deque<OpenedModel>& models, const RunPlan& plan,
                             const StatisticsSettings& statistics) {
  uint64_t bytes = 0;
  for (const OpenedModel& model : models) bytes += statistics_bytes(model, plan, statistics);
  if (statistics.labels == nullptr || bytes <= usable_memory()) return;
  throw InputError(
      {.what = fmt::format("the statistics of {} labels do not fit into memory", statistics.labels->size()),
       .where = plan.prompts_place,
       .expected = "at most " + format_bytes(usable_memory()),
       .found = format_bytes(bytes),
       .hint = "use fewer labels, layers or token types, or leave out --contrast-output and --report"});
}

std::deque<OpenedModel> open_models(const RunPlan& plan, Hub& hub, const Context& context) {
  std::deque<OpenedModel> models;
  for (const ModelPlan& model : plan.models) {
    PreparedModel prepared = prepare_model(model, plan, hub, context);
    models.push_back(open_model(std::move(prepared), plan.requested, hub, *context.progress));
  }
  return models;
}

}  // namespace

Results analyze(const RunPlan& plan, Hub& hub, const Context& context) {
  Results results;
  const Stopwatch preparing;
  results.prompts = plan.prompts;
  results.labels = std::make_shared<const Labels>(*plan.prompts);
  std::deque<OpenedModel> models = open_models(plan, hub, context);
  const std::unique_ptr<Backend> backend = make_backend(plan.compute.device, context);
  for (OpenedModel& model : models) model.checkpoint.model.weights.bind_to(*backend);
  trim_heap();  // tokenizers and lists that grew
  results.summary.add_time("prepare", preparing.seconds());
  results.summary.device = backend->description();

  const StatisticsSettings statistics = {.activation_threshold = plan.keep.activation_threshold,
                                         .labels = plan.keep.by_label ? results.labels : nullptr,
                                         .details = plan.keep.details};
  require_room_for_labels(models, plan, statistics);
  for (const OpenedModel& model : models) ModelRun(model, plan, statistics, *backend, context).run(results);
  sort_by_source(results.chosen);
  if (plan.compute.cache) trim_activation_cache(plan.compute.cache_limit, *context.progress);
  return results;
}

}  // namespace saescope
