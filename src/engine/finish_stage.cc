#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <map>

#include "base/error.h"
#include "engine/encoded_part.h"
#include "engine/job.h"
#include "engine/joined_rows.h"
#include "engine/late_files.h"
#include "engine/model_activations.h"
#include "engine/model_run.h"
#include "engine/stages.h"

namespace saescope {
namespace {

/// The parts of one way of cutting the stage encode into tasks.
struct Parts {
  std::size_t tasks = 1;
  std::vector<std::deque<EncodedPart>> of_task;  ///< [tasks][models]
  std::vector<std::size_t> missing;              ///< tasks that are not complete
};

/// Complete parts, which stay as they are: their files are read and compared with their checksums once,
/// however often somebody looks whether the others have come.
using CompleteParts = std::map<std::filesystem::path, EncodedPart>;

Parts look_at_parts(const Job& job, std::size_t tasks, const StageInputs& inputs,
                    CompleteParts& complete_parts) {
  Parts parts = {tasks, {}, {}};
  for (std::size_t task = 0; task < tasks; ++task) {
    std::deque<EncodedPart>& of_task = parts.of_task.emplace_back();
    bool complete = true;
    for (std::size_t i = 0; i < inputs.models.size(); ++i) {
      const std::filesystem::path folder = job.part({task, tasks}, i);
      const auto known = complete_parts.find(folder);
      const EncodedPart& part = known != complete_parts.end()
                                    ? of_task.emplace_back(known->second)
                                    : of_task.emplace_back(folder, job.numerics(), *inputs.context.progress);
      const bool is_complete = part.done() == inputs.models[i].prepared.prompts.size();
      if (is_complete) complete_parts.emplace(folder, part);
      complete = complete && is_complete;
    }
    if (!complete) parts.missing.push_back(task);
  }
  return parts;
}

/// The complete ones, else those of which fewest are missing.
Parts best_parts(const Job& job, const StageInputs& inputs, CompleteParts& complete_parts) {
  std::optional<Parts> best;
  for (const std::size_t tasks : job.task_counts()) {
    Parts parts = look_at_parts(job, tasks, inputs, complete_parts);
    if (!best || parts.missing.size() < best->missing.size()) best = std::move(parts);
  }
  return best ? *std::move(best) : Parts{1, {}, {0}};
}

RunError missing_parts(const Job& job, const Parts& parts, const std::string& command) {
  std::vector<std::string> names;
  for (const std::size_t task : parts.missing) names.push_back(fmt::format("{}/{}", task + 1, parts.tasks));
  return RunError({.what = fmt::format("{} of {} parts of the stage encode are missing or not complete",
                                       names.size(), parts.tasks),
                   .where = job.folder().string(),
                   .expected = "every part, made with the same prompts, models, SAEs and settings",
                   .found = fmt::format("nothing complete of {}", fmt::join(names, ", ")),
                   .hint = fmt::format("{} --stage encode --task {}", command, names.front())});
}

Parts wait_for_parts(const Job& job, const StageInputs& inputs) {
  Parts parts;
  CompleteParts complete_parts;
  const auto are_there = [&] {
    parts = best_parts(job, inputs, complete_parts);
    return parts.missing.empty();
  };
  const auto what = [&] { return fmt::format("{} parts of the stage encode", parts.missing.size()); };
  if (!wait_for_files(what, are_there, inputs.context)) {
    throw missing_parts(job, parts, inputs.plan.task.command);
  }
  return parts;
}

/// Tables of all features and of chosen ones, joined share by share.
void join_tables(const Parts& parts, const StageInputs& inputs, std::deque<ModelRun>& runs,
                 Results& results) {
  for (std::size_t task = 0; task < parts.tasks; ++task) {
    Results share;
    for (std::size_t i = 0; i < inputs.models.size(); ++i) {
      Results of_model;
      ModelRun run(inputs.models[i], inputs.plan, {task, parts.tasks}, inputs.statistics, inputs.backend,
                   inputs.context);
      run.wire_tables(of_model);
      parts.of_task[task][i].load(of_model.tables, runs[i].norms());
      share.tables.merge(std::move(of_model.tables));
    }
    if (task == 0) {
      results.tables = std::move(share.tables);
    } else {
      results.append(std::move(share));
    }
  }
}

/// Chosen features' activations, whose columns the shares have.
void join_rows(const Parts& parts, const StageInputs& inputs, Results& results) {
  for (std::size_t i = 0; i < inputs.models.size(); ++i) {
    Results whole;
    ModelRun run(inputs.models[i], inputs.plan, {}, inputs.statistics, inputs.backend, inputs.context);
    run.wire_tables(whole);
    std::vector<const EncodedPart*> of_model;
    for (const auto& of_task : parts.of_task) of_model.push_back(&of_task[i]);
    for (ChosenActivations& chosen : whole.chosen) {
      join_chosen_activations(inputs.models[i], of_model, chosen, *inputs.context.cancel);
      results.chosen.push_back(std::move(chosen));
    }
    results.saes.merge(whole.saes);
  }
}

bool has_saes(const OpenedModel& model) {
  return std::any_of(model.layers.begin(), model.layers.end(),
                     [](const auto& sources) { return !sources.empty(); });
}

}  // namespace

void run_finish_stage(const StageInputs& inputs, Results& results) {
  const Stopwatch opening;
  const Job job = Job::open(inputs.models, inputs.plan, inputs.backend, inputs.context);
  results.summary.add_time("prepare", opening.seconds());
  results.job = job.folder();
  std::deque<ModelRun> runs;
  for (const OpenedModel& model : inputs.models) {
    runs.emplace_back(model, inputs.plan, Share{}, inputs.statistics, inputs.backend, inputs.context);
  }
  std::string how = "from the store";
  const Stopwatch watch;
  if (std::any_of(inputs.models.begin(), inputs.models.end(), has_saes)) {
    const Parts parts = wait_for_parts(job, inputs);
    join_tables(parts, inputs, runs, results);
    join_rows(parts, inputs, results);
    how = fmt::format("joined from {} part{}", parts.tasks, parts.tasks == 1 ? "" : "s");
  }
  results.summary.add_time("join", watch.seconds());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].wire_activations(results);
    const std::vector<std::size_t> layers = runs[i].layers();
    if (layers.empty()) {
      runs[i].describe(how, results);
      continue;
    }
    runs[i].norms().norms().clear();  // they come with the activations
    const ModelActivations activations(inputs.models[i], inputs.plan, 0, inputs.backend, inputs.context);
    activations.wait_for_others(0, layers);
    runs[i].encode(activations, nullptr, results);
  }
}

}  // namespace saescope
