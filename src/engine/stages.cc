#include "engine/stages.h"

#include <fmt/format.h>

#include "engine/cache_folder.h"
#include "engine/encoded_part.h"
#include "engine/job.h"
#include "engine/model_activations.h"
#include "engine/model_run.h"
#include "engine/prompt_share.h"

namespace saescope {

void run_forward_stage(const StageInputs& inputs, Results& results) {
  const auto& [models, plan, statistics, backend, context] = inputs;
  const Stopwatch opening;
  const Job job = Job::open(models, plan, backend, context);
  results.summary.add_time("prepare", opening.seconds());
  const Stopwatch watch;
  for (const OpenedModel& model : models) {
    const std::string& name = model.prepared.plan.entry.name;
    const ModelActivations activations(model, plan, 0, backend, context);
    const TokenizedPrompts share = share_of_prompts(model.prepared.prompts, plan.task.share);
    const TokenizedPrompts missing = activations.not_stored(share);
    results.summary.notes.push_back(
        fmt::format("{}: {} of {} prompts are this task's, without copies; {} of them were in the store",
                    name, share.size(), model.prepared.prompts.size(), share.size() - missing.size()));
    if (missing.empty()) continue;
    mark_unfinished(job.folder());
    StreamWork work = {missing, 0, {}};
    for (const std::size_t layer : layers_of(model)) work.layers.push_back({layer, {}});
    WaveStream stream = activations.stream(std::move(work));
    context.progress->begin_stage(name + ": prompts", missing.size(), ProgressUnit::kItems);
    std::size_t done = 0;
    for (ActivationBatch batch; stream.next(batch);) {
      model.require_unchanged();
      if (batch.layer == stream.layers().back())
        context.progress->update(done += batch.prompt_indices.size());
    }
    context.progress->end_stage();
    results.summary.notes.push_back(fmt::format("{}: {}", name, in_words(stream.counts())));
  }
  results.summary.add_time("forward", watch.seconds());
}

void run_encode_stage(const StageInputs& inputs, Results& results) {
  const auto& [models, plan, statistics, backend, context] = inputs;
  const Stopwatch opening;
  const Job job = Job::open(models, plan, backend, context);
  results.summary.add_time("prepare", opening.seconds());
  for (std::size_t i = 0; i < models.size(); ++i) {
    const OpenedModel& model = models[i];
    const std::size_t prompts = model.prepared.prompts.size();
    EncodedPart part(job.part(plan.task.share, i), job.numerics(), *context.progress);
    if (part.done() == prompts) {
      results.summary.notes.push_back(
          fmt::format("{}: this part is complete already", model.prepared.plan.entry.name));
      continue;
    }
    mark_unfinished(job.folder());
    Results found;
    found.labels = results.labels;
    ModelRun run(model, plan, plan.task.share, statistics, backend, context);
    run.wire_tables(found);
    if (run.layers().empty()) {
      part.save(prompts, found, run.norms());
      continue;
    }
    const ModelActivations activations(model, plan, run.analysis_bytes(), backend, context);
    activations.wait_for_others(part.done(), run.layers());
    run.encode(activations, &part, found);
    results.summary.append(std::move(found.summary));
  }
}

}  // namespace saescope
