#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/json_text.h"
#include "base/version.h"
#include "cli/option_flags.h"
#include "cli/separate_files.h"
#include "cli/suggestion.h"

namespace saescope {
namespace {

constexpr auto kExamples = R"(Examples:
  Find features active on at least 30% of prompts
    run_sae_analysis --analysis universal \
      --universal-output results/universal_30.csv \
      --threshold 0.3

  Analyze specific features with prompt recording
    run_sae_analysis --analysis specific \
      --features-csv results/universal_30.csv \
      --specific-output results/specific_analysis.csv \
      --record-prompts \
      --activation-threshold 0.05

  Run both analyses with custom prompts
    run_sae_analysis --analysis both \
      --prompts-path custom_prompts.jsonl \
      --universal-output results/universal_features.csv \
      --features-csv existing_features.csv \
      --specific-output results/specific_activations.csv \
      --threshold 0.2 \
      --record-prompts
)";

std::vector<std::string> flag_names() {
  std::vector<std::string> names = {"--help", "--version"};
  for (const Flag& flag : option_flags()) names.emplace_back(flag.name);
  return names;
}

/// "--a and --b", "--a, --b and --c".
std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return fmt::format("{}", fmt::join(names, ""));
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

void declare(CLI::App& app) {
  app.name("run_sae_analysis");
  app.footer(kExamples);
  app.get_formatter()->column_width(38);
  app.allow_extras();  // unknown flags get our own message, with a suggestion
  for (const Flag& flag : option_flags()) {
    const std::string help = flag.help;
    const bool takes_value = *flag.type != '\0';
    CLI::Option* option = takes_value ? app.add_option(flag.name, help) : app.add_flag(flag.name, help);
    option->group(flag.group)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (takes_value) option->type_name(flag.type);
  }
  app.set_help_flag("-h,--help", "Print this help and end")->group(kRunGroup);
  app.set_version_flag("--version", fmt::format("run_sae_analysis {}", kVersion), "Print the version and end")
      ->group(kRunGroup);
}

void refuse_unknown(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  const auto is_flag = [](const std::string& text) { return text.size() > 1 && text.front() == '-'; };
  const auto found = std::find_if(extras.begin(), extras.end(), is_flag);
  const std::string& text = found == extras.end() ? extras.front() : *found;
  const bool flag = is_flag(text);
  throw InputError({.what = flag ? "unknown flag" : "an argument that belongs to no flag",
                    .where = "command line",
                    .expected = {},
                    .found = flag ? text.substr(0, text.find('=')) : shown_text(text),
                    .hint = did_you_mean(flag ? text.substr(0, text.find('=')) : "", flag_names(),
                                         "run_sae_analysis --help lists all flags")});
}

Options apply_flags(const CLI::App& app) {
  Options options;
  for (const Flag& flag : option_flags()) {
    for (const std::string& text : app.get_option(flag.name)->results()) {
      const bool takes_value = *flag.type != '\0';
      if (takes_value && (text.empty() || text.compare(0, 2, "--") == 0)) {
        throw InputError({.what = "the flag's value is missing",
                          .where = flag.name,
                          .expected = flag.type,
                          .found = shown_text(text),
                          .hint = {}});
      }
      if (!takes_value && text != "true") {
        throw InputError({.what = "the flag takes no value",
                          .where = flag.name,
                          .expected = flag.name,
                          .found = fmt::format("{}={}", flag.name, text),
                          .hint = {}});
      }
      flag.apply(options, {flag.name, text});
    }
  }
  return options;
}

void require_complete(const Options& options) {
  if (options.print_config || options.show_tokens || options.list) return;
  if (!options.analysis && !options.activations.empty()) return;
  if (!options.analysis) {
    throw InputError({.what = "--analysis is missing",
                      .where = "command line",
                      .expected = "--analysis universal, specific or both, or --activations-output",
                      .found = {},
                      .hint = "run_sae_analysis --help shows examples"});
  }
  const bool writes = !options.dry_run;
  std::vector<std::string> missing;
  if (options.universal() && writes && options.universal_output.empty() && !options.gathers()) {
    missing.emplace_back("--universal-output");
  }
  if (options.specific() && options.features_csv.empty()) missing.emplace_back("--features-csv");
  const bool shows_chosen = options.all_tokens() || options.gathers();
  const bool needs_csv = options.record_prompts || !shows_chosen;
  if (options.specific() && writes && options.specific_output.empty() && needs_csv) {
    missing.emplace_back("--specific-output");
  }
  if (missing.empty()) return;
  throw InputError(
      {.what =
           fmt::format("--analysis {} needs {}", word_of(*options.analysis, kAnalysisWords), listed(missing)),
       .where = "command line",
       .expected = {},
       .found = {},
       .hint = "a CSV may be left out where --report or --contrast-output asks for the analysis; "
               "run_sae_analysis --help shows examples"});
}

/// Stages, their tasks and the store belong together.
void require_stage(const Options& options) {
  const bool has_tasks = options.stage == Stage::kForward || options.stage == Stage::kEncode;
  if (has_tasks && !options.task) {
    throw InputError({.what = "--stage forward and --stage encode need --task",
                      .where = "command line",
                      .expected = "--task I/N or --task auto",
                      .found = {},
                      .hint = "--task 1/1 is all of it"});
  }
  if (options.stage != Stage::kWhole && !options.compute.cache) {
    throw InputError({.what = "--no-cache leaves the stages without a store",
                      .where = "command line",
                      .expected = {},
                      .found = {},
                      .hint = "leave it out"});
  }
}

/// Those of `names` that were given.
std::vector<std::string> given(const CLI::App& app, std::vector<std::string> names) {
  std::erase_if(names, [&](const std::string& name) { return app.get_option(name)->count() == 0; });
  return names;
}

std::vector<std::string> find_unused_of_stages(const CLI::App& app, const Options& options) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& who, const std::vector<std::string>& names) {
    if (!names.empty()) warnings.push_back(fmt::format("{} does not use {}", who, listed(names)));
  };
  const bool staged = options.stage != Stage::kWhole;
  if (!staged) warn("a run without --stage", given(app, {"--task"}));
  if (options.stage == Stage::kFinish) warn("--stage finish", given(app, {"--task", "--local-copy"}));
  if (staged) warn("--stage", given(app, {"--cache-limit"}));
  if (!options.compute.cache) warn("a run with --no-cache", given(app, {"--store", "--cache-limit"}));
  return warnings;
}

/// Flags without effect in this run. A run that only shows something (--print-config, --show-tokens) is
/// usually a finished command line with one flag added: nothing is said about the rest of it.
std::vector<std::string> find_unused(const CLI::App& app, const Options& options) {
  if (options.print_config || options.show_tokens || options.list) return {};
  std::vector<std::string> warnings = find_unused_of_stages(app, options);
  std::vector<std::string> idle;
  if (!options.analysis) {
    idle = given(app, {"--universal-output", "--specific-output", "--features-csv", "--record-prompts",
                       "--token-activations", "--threshold", "--activation-threshold", "--trainer", "--sae",
                       "--report", "--contrast-output", "--contrast", "--contrast-q", "--descriptions",
                       "--pt-descriptions"});
    if (!idle.empty()) warnings.push_back(fmt::format("without --analysis nothing uses {}", listed(idle)));
    return warnings;
  }
  if (!options.specific())
    idle = {"--specific-output", "--features-csv", "--record-prompts", "--token-activations"};
  if (!options.universal()) {
    idle = {"--universal-output", "--threshold"};
    // What --model and --sae name is an entry of these.
    if (options.model.empty() && options.sae.empty()) {
      idle.insert(idle.end(), {"--models", "--layers", "--trainer"});
    }
    if (!options.record_prompts && !options.gathers() && !options.all_tokens())
      idle.emplace_back("--activation-threshold");
  }
  if (const auto names = given(app, idle); !names.empty()) {
    const bool source_decides = !options.universal();
    warnings.push_back(fmt::format(
        "--analysis {} does not use {}{}", source_decides ? "specific" : "universal", listed(names),
        source_decides ? " (the features CSV's column source decides what is analysed)" : ""));
  }
  const auto descriptions = given(app, {"--descriptions", "--pt-descriptions"});
  if (!options.describes() && !descriptions.empty()) {
    warnings.push_back(fmt::format("no output of this run has a column for {}", listed(descriptions)));
  }
  const auto contrast = given(app, {"--contrast", "--contrast-q"});
  if (!options.gathers() && !contrast.empty()) {
    warnings.push_back(
        fmt::format("without --contrast-output and --report nothing uses {}", listed(contrast)));
  }
  return warnings;
}

std::vector<NamedFile> written(std::initializer_list<NamedFile> files) {
  std::vector<NamedFile> result = files;
  std::erase_if(result, [](const NamedFile& file) { return file.path.empty(); });
  return result;
}

}  // namespace

OutputSettings Options::output_settings() const {
  OutputSettings settings;
  if (universal()) settings.universal = universal_output;
  if (specific()) settings.specific = specific_output;
  if (specific()) settings.token_activations = token_activations;
  settings.activations = activations;
  if (analysis) settings.contrast = contrast_output;
  if (analysis) settings.report = report;
  settings.threshold = threshold;
  settings.record_prompts = record_prompts;
  settings.contrast_q = contrast_q;
  return settings;
}

std::vector<NamedFile> Options::outputs() const {
  const OutputSettings settings = output_settings();
  return written({{"--universal-output", settings.universal},
                  {"--specific-output", settings.specific},
                  {"--record-prompts", settings.active_prompts()},
                  {"--token-activations", settings.token_activations},
                  {"--activations-output", settings.activations},
                  {"--contrast-output", settings.contrast},
                  {"--report", settings.report}});
}

CommandLine parse_options(int argc, const char* const* argv) {
  CLI::App app("Find and analyse features of sparse autoencoders (SAEs) in language models.");
  declare(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), {}};
  } catch (const CLI::CallForVersion&) {
    return {std::nullopt, fmt::format("run_sae_analysis {}\n", kVersion), {}};
  } catch (const CLI::ParseError& error) {
    throw InputError({.what = error.what(),
                      .where = "command line",
                      .expected = {},
                      .found = {},
                      .hint = "run_sae_analysis --help lists all flags"});
  }
  Options options = apply_flags(app);
  refuse_unknown(app);
  require_complete(options);
  require_stage(options);
  require_separate_files(options);
  std::vector<std::string> warnings = find_unused(app, options);
  return {std::move(options), {}, std::move(warnings)};
}

}  // namespace saescope
