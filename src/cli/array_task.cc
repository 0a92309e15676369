#include "cli/array_task.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/json_text.h"

namespace saescope {
namespace {

constexpr auto kTaskForm = "I/N with I from 1 to N, auto, or auto/N";

/// How an engine numbers the tasks of an array. Variables that it does not have are null.
struct ArrayVariables {
  const char* engine;
  const char* index;
  const char* first = nullptr;
  const char* last = nullptr;
  const char* step = nullptr;
  std::size_t usual_first = 1;  ///< where `first` is null or not set
  bool zero_is_none = false;    ///< a job that is no array has the index 0
};

constexpr std::array kEngines = {
    ArrayVariables{"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
                   "SLURM_ARRAY_TASK_STEP"},
    ArrayVariables{"LSF", "LSB_JOBINDEX", nullptr, "LSB_JOBINDEX_END", "LSB_JOBINDEX_STEP", 1, true},
    ArrayVariables{"Grid Engine", "SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE"},
    ArrayVariables{"PBS", "PBS_ARRAY_INDEX"},
    ArrayVariables{"Torque", "PBS_ARRAYID"},
    ArrayVariables{"Kubernetes", "JOB_COMPLETION_INDEX", nullptr, nullptr, nullptr, 0},
};

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value <= Share::kMost;
  return whole ? std::optional(value) : std::nullopt;
}

InputError refused(const Argument& argument, std::string what, std::string found, std::string hint = {}) {
  return InputError({.what = std::move(what),
                     .where = argument.flag,
                     .expected = kTaskForm,
                     .found = std::move(found),
                     .hint = std::move(hint)});
}

/// An array's variables, read with the environment.
class Variables {
 public:
  Variables(const Argument& argument, const Environment& environment)
      : argument_(argument), environment_(environment) {}

  /// Nothing where the variable is not set, empty, or "undefined" (Grid Engine outside of arrays).
  std::optional<std::size_t> get(const char* name) const {
    const auto text = name == nullptr ? std::nullopt : environment_(name);
    if (!text || text->empty() || *text == "undefined") return std::nullopt;
    const auto value = number(*text);
    if (!value)
      throw refused(argument_, fmt::format("the variable {} is no number", name), shown_text(*text));
    return value;
  }

  const ArrayVariables* engine() const {
    for (const ArrayVariables& engine : kEngines) {
      const auto index = get(engine.index);
      if (index && (*index > 0 || !engine.zero_is_none)) return &engine;
    }
    return nullptr;
  }

 private:
  const Argument& argument_;
  const Environment& environment_;
};

/// The task among those of the array. @param count of tasks, where the user says it
Share share_of_array(const Argument& argument, const Variables& variables, const ArrayVariables& engine,
                     std::optional<std::size_t> count) {
  const std::size_t index = *variables.get(engine.index);
  // With a count the user's numbers count: a part of an array that is run again has other limits.
  const std::size_t first =
      count ? engine.usual_first : variables.get(engine.first).value_or(engine.usual_first);
  const std::size_t step = count ? 1 : std::max<std::size_t>(1, variables.get(engine.step).value_or(1));
  const auto last = variables.get(engine.last);
  if (!count && !last) {
    throw refused(argument, fmt::format("{} does not say how many tasks the array has", engine.engine),
                  "auto", "write auto/N");
  }
  const std::size_t tasks = count ? *count : (*last - first) / step + 1;
  const bool fits = index >= first && (index - first) % step == 0 && (index - first) / step < tasks;
  if (!fits) {
    throw refused(argument, "the array's variables do not fit together",
                  fmt::format("{}={} of {} tasks from {}", engine.index, index, tasks, first),
                  count ? fmt::format("number the array from {} to {}", first, first + tasks - 1)
                        : "number the tasks in equal steps, or write I/N");
  }
  return {(index - first) / step, tasks};
}

/// An array of Slurm may leave numbers out ("1,3,7"), which its limits do not tell.
void require_dense(const Argument& argument, const Variables& variables, Share share) {
  const auto count = variables.get("SLURM_ARRAY_TASK_COUNT");
  if (!count || *count == share.count) return;
  throw refused(argument, "the array leaves numbers out", fmt::format("{} tasks of {}", *count, share.count),
                "write I/N or auto/N with the number of all tasks");
}

/// Within a step of `srun`, each of its processes is a task of its own.
Share share_of_step(const Variables& variables, Share array) {
  const auto processes = variables.get("SLURM_STEP_NUM_TASKS");
  const auto process = variables.get("SLURM_PROCID");
  if (!processes || !process || *processes == 0) return array;
  return {array.index * *processes + *process, array.count * *processes};
}

Share automatic(const Argument& argument, const Variables& variables, std::optional<std::size_t> count) {
  const ArrayVariables* engine = variables.engine();
  if (engine != nullptr) {
    const Share share = share_of_array(argument, variables, *engine, count);
    if (count) return share;
    if (engine == kEngines.data()) require_dense(argument, variables, share);
    return share_of_step(variables, share);
  }
  const Share step = share_of_step(variables, {});
  if (step.count > 1 || variables.get("SLURM_STEP_NUM_TASKS")) return step;
  throw refused(argument, "this process is no task of an array",
                "no variable of Slurm, PBS, LSF, Grid Engine or Kubernetes", "write I/N");
}

}  // namespace

Share parse_task(const Argument& argument, const Environment& environment) {
  const std::string_view text = argument.text;
  const std::size_t slash = text.find('/');
  const Variables variables(argument, environment);
  if (text == "auto") return automatic(argument, variables, std::nullopt);
  const auto count = slash == std::string_view::npos ? std::nullopt : number(text.substr(slash + 1));
  if (!count || *count == 0) throw refused(argument, "the value cannot be used", shown_text(text));
  if (text.substr(0, slash) == "auto") return automatic(argument, variables, count);
  const auto index = number(text.substr(0, slash));
  if (!index || *index < 1 || *index > *count) {
    throw refused(argument, "the value cannot be used", shown_text(text), "the first task of seven is 1/7");
  }
  return {*index - 1, *count};
}

}  // namespace saescope
