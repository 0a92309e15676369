#include "cli/program.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include "base/json_progress.h"
#include "base/terminal.h"
#include "base/usable_resources.h"
#include "cli/catalogue.h"
#include "cli/configuration.h"
#include "cli/dry_run.h"
#include "cli/options.h"
#include "cli/run_request.h"
#include "cli/selection.h"
#include "cli/separate_files.h"
#include "cli/show_tokens.h"
#include "cli/summary_text.h"
#include "cli/wanted_descriptions.h"
#include "engine/analyze.h"
#include "engine/backend_choice.h"
#include "engine/cache_folder.h"
#include "hub/description_exports.h"
#include "input/prompts_reader.h"
#include "output/outputs.h"

namespace saescope {
namespace {

int thread_count(const Options& options) {
  if (options.threads > 0) return options.threads;
  return usable_processors();
}

/// Says why the default is less than one thread for each processor that users see in their machine.
void explain_fewer_threads(const Options& options, int threads, Progress& progress) {
  if (options.threads > 0 || threads >= machine_processors()) return;
  progress.info(fmt::format(
      "computing on {} of this machine's {} processors: CPU affinity (taskset, cpusets) or a control group's "
      "quota (containers, Slurm) leaves no more; --threads sets another number",
      threads, machine_processors()));
}

HubSettings hub_settings(const Options& options) {
  HubSettings settings = HubSettings::from_environment();
  settings.offline = settings.offline || options.offline;
  return settings;
}

/// The reader of stdout has seen enough, such as `head`: no failure, but nothing is left to do.
struct ReaderGone {};

/// Writes to stdout, where a full disk must not pass for success. @throws ReaderGone
void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw ReaderGone();
  throw system_error("cannot write", "standard output");
}

/// Help and version as they fit into the terminal.
std::string fitted(const std::string& text) {
  const auto columns = terminal_width(STDOUT_FILENO);
  return columns ? wrap_lines(text, *columns) : text;
}

/// The arguments without some flags and the values behind them.
std::vector<const char*> without(std::span<const std::string_view> flags,
                                 std::span<const char* const> arguments) {
  std::vector<const char*> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const auto flag = std::find(flags.begin(), flags.end(), argument.substr(0, argument.find('=')));
    if (flag == flags.end()) {
      kept.push_back(arguments[i]);
    } else if (argument == *flag) {
      ++i;
    }
  }
  return kept;
}

/// The command line as it can be typed again.
std::string quoted_command(std::span<const char* const> arguments) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%";
  std::string command = "run_sae_analysis";
  for (const std::string_view argument : arguments.subspan(1)) {
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos) {
      command += fmt::format(" {}", argument);
      continue;
    }
    command += " '";
    for (const char c : argument) command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += '\'';
  }
  return command;
}

/// A report says how to get its results in one run, which it equals however it was cut into tasks.
Commands commands_of(std::span<const char* const> arguments) {
  constexpr std::array<std::string_view, 4> kOfMachines = {"--stage", "--task", "--store", "--local-copy"};
  return {.whole = quoted_command(without(kOfMachines, arguments)),
          .of_stages = quoted_command(without(std::span(kOfMachines).first(2), arguments))};
}

/// The outputs are there: what cannot be noted only keeps files in the store.
void note_finished(const std::filesystem::path& job, Progress& progress) {
  try {
    mark_finished(job);
  } catch (const RunError& failure) {
    progress.warn(
        fmt::format("nothing is removed of the store for a week, since it cannot be noted that the job "
                    "is finished: {}",
                    failure.what()));
  }
}

std::string run(const Options& options, const RunRequest& request, Hub& hub, const Context& context) {
  require_apart_from_models(options, request.plan.models, hub);
  for (const NamedFile& output : options.outputs()) check_output(output.path);
  Results results = analyze(request.plan, hub, context);
  const bool writes = options.stage == Stage::kWhole || options.stage == Stage::kFinish;
  if (!writes) return summary_text({}, results.summary);
  const OutputSummary written = write_outputs(results, request.outputs, request.description);
  if (!results.job.empty()) note_finished(results.job, *context.progress);
  return summary_text(written, results.summary);
}

int run_command(int argc, const char* const* argv, const CancelToken& cancel) {
  const CommandLine line = parse_options(argc, argv);
  if (!line.options) {
    print(fitted(line.text));
    return 0;
  }
  const Options& options = *line.options;
  const std::unique_ptr<Progress> shown = make_progress(options.progress, options.quiet);
  Progress& progress = *shown;
  for (const std::string& warning : line.warnings) progress.warn(warning);
  if (options.list) {
    print(options.progress == ProgressMode::kJson ? catalogue_json() : catalogue_table());
    return 0;
  }
  if (options.print_config) {
    print(print_configuration(read_configuration(options)));
    return 0;
  }
  require_device(options.compute.device);
  const Context context = {.threads = thread_count(options), .progress = &progress, .cancel = &cancel};
  Hub hub(hub_settings(options), context);
  if (options.show_tokens) {
    show_tokens(chosen_models(options, read_configuration(options)),
                read_prompts(options.prompts_path, {options.content_key, &progress}), hub, progress, print);
    return 0;
  }
  explain_fewer_threads(options, context.threads, progress);
  RunRequest request = read_request(options, commands_of({argv, static_cast<std::size_t>(argc)}), progress);
  DescriptionExports exports(ExportSettings::from_environment(), hub.settings(), context);
  read_notes(
      obtain_descriptions(options, request.plan.models, options.dry_run ? nullptr : &exports, progress),
      request, progress);
  if (options.dry_run) {
    print(describe_run(request, options, hub, exports, context));
    return 0;
  }
  const std::string summary = run(options, request, hub, context);
  if (!options.quiet) print(summary);
  return 0;
}

/// Whether failures are read by a program; the command line may be one that cannot be understood.
bool wants_json(std::span<const char* const> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--progress=json") return true;
    if (argument == "--progress" && i + 1 < arguments.size() &&
        arguments[i + 1] == std::string_view("json")) {
      return true;
    }
  }
  return false;
}

int fail(bool json, std::string_view kind, int exit_code, const ErrorDetail& detail) {
  const std::string text =
      json ? json_error_line(kind, detail) : fmt::format("error: {}\n", RunError(detail).what());
  std::fputs(text.c_str(), stderr);
  return exit_code;
}

}  // namespace

int report_failure(int argc, const char* const* argv) {
  const bool json = wants_json({argv, static_cast<std::size_t>(argc)});
  try {
    throw;
  } catch (const Interrupted& interrupted) {
    if (json) return fail(true, "interrupted", interrupted.exit_code(), interrupted.detail());
    fmt::print(stderr, "interrupted; outputs of earlier runs are as they were\n");
    return interrupted.exit_code();
  } catch (const InputError& error) {
    return fail(json, "input", error.exit_code(), error.detail());
  } catch (const Error& error) {
    return fail(json, "run", error.exit_code(), error.detail());
  } catch (const std::bad_alloc&) {
    return fail(json, "run", 1, {.what = "out of memory", .hint = "lower --memory-limit or --batch-tokens"});
  } catch (const std::exception& error) {
    return fail(json, "run", 1, {.what = error.what()});
  }
}

int run_program(int argc, const char* const* argv, const CancelToken& cancel) {
  try {
    return run_command(argc, argv, cancel);
  } catch (const ReaderGone&) {
    return 0;
  }
}

}  // namespace saescope
