#include "app/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "analysis/sources.h"
#include "app/option_values.h"
#include "app/suggestion.h"
#include "app/version.h"
#include "base/error.h"
#include "report/json_text.h"

namespace saescope {
namespace {

constexpr int64_t kMaxCount = std::numeric_limits<int64_t>::max();

/// One flag of the command line: how --help shows it and what it sets.
struct Flag {
  const char* group;
  const char* name;
  const char* type;  ///< empty: the flag takes no value
  const char* help;
  void (*apply)(Options& options, const Argument& argument);
};

template <typename T>
void append_unique(std::vector<T>& list, T value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

void add_names(std::vector<std::string>& list, const Argument& argument) {
  for (std::string& name : parse_list(argument)) append_unique(list, std::move(name));
}

void set_threshold(Options& options, const Argument& argument) {
  constexpr auto kExpected = "a fraction of the prompts from 0.0 to 1.0";
  const double threshold = parse_double(argument, kExpected);
  if (threshold < 0.0 || threshold > 1.0) {
    throw InputError({.what = "the value cannot be used",
                      .where = argument.flag,
                      .expected = kExpected,
                      .found = shown_text(argument.text),
                      .hint = "0.3 stands for 30 % of the prompts"});
  }
  options.threshold = threshold;
}

void add_layers(Options& options, const Argument& argument) {
  for (const std::string& layer : parse_list(argument)) {
    append_unique(options.layers, parse_integer({argument.flag, layer}, 0, 1'000'000));
  }
}

void set_trainer(Options& options, const Argument& argument) {
  if (!is_trainer_word(argument.text)) {
    throw InputError({.what = "the value cannot be used",
                      .where = argument.flag,
                      .expected = "a trainer's number or name, such as 1 or 32x",
                      .found = shown_text(argument.text),
                      .hint = {}});
  }
  options.trainer = argument.text;
}

uint64_t parse_count(const Argument& argument) {
  return static_cast<uint64_t>(parse_integer(argument, 1, kMaxCount));
}

constexpr auto kAnalysisGroup = "Analysis";
constexpr auto kModelsGroup = "Models, dictionaries and token types";
constexpr auto kComputeGroup = "Computation";
constexpr auto kRunGroup = "Run";

const std::array kFlags = {
    Flag{kAnalysisGroup, "--analysis", "universal|specific|both", "Which analysis to run",
         [](Options& o, const Argument& a) {
           o.analysis = static_cast<Analysis>(parse_choice(a, {"universal", "specific", "both"}));
         }},
    Flag{kAnalysisGroup, "--universal-output", "FILE", "Path to save the universal features CSV",
         [](Options& o, const Argument& a) { o.universal_output = a.text; }},
    Flag{kAnalysisGroup, "--specific-output", "FILE", "Path to save the specific analysis CSV",
         [](Options& o, const Argument& a) { o.specific_output = a.text; }},
    Flag{kAnalysisGroup, "--features-csv", "FILE",
         "CSV with the columns feature_id and source, optionally token",
         [](Options& o, const Argument& a) { o.features_csv = a.text; }},
    Flag{kAnalysisGroup, "--threshold", "FRACTION",
         "Fraction of the prompts (0.0-1.0) that must activate a universal feature [0.3]", set_threshold},
    Flag{kAnalysisGroup, "--activation-threshold", "NUMBER",
         "Activation above which a feature is active on a prompt [0.01]",
         [](Options& o, const Argument& a) { o.activation_threshold = parse_float(a, "a finite number"); }},
    Flag{kAnalysisGroup, "--record-prompts", "",
         "Record the prompts that activate the features of the specific analysis in "
         "{csv_basename}_activeprompts.jsonl beside its CSV",
         [](Options& o, const Argument&) { o.record_prompts = true; }},
    Flag{kAnalysisGroup, "--prompts-path", "PATH", "A .jsonl file, or a folder of such files [./prompts]",
         [](Options& o, const Argument& a) { o.prompts_path = a.text; }},
    Flag{kAnalysisGroup, "--max-tokens", "N", "Longest prompt in tokens [the model's context]",
         [](Options& o, const Argument& a) { o.max_tokens = parse_count(a); }},
    Flag{kAnalysisGroup, "--skip-long", "", "Leave out longer prompts with a warning instead of stopping",
         [](Options& o, const Argument&) { o.skip_long = true; }},

    Flag{kModelsGroup, "--config", "FILE", "TOML file that adds or overrides models",
         [](Options& o, const Argument& a) { o.config = a.text; }},
    Flag{kModelsGroup, "--print-config", "", "Print the configuration in its file format and end",
         [](Options& o, const Argument&) { o.print_config = true; }},
    Flag{kModelsGroup, "--models", "NAME,...", "Models of the universal analysis [all that are configured]",
         [](Options& o, const Argument& a) { add_names(o.models, a); }},
    Flag{kModelsGroup, "--layers", "N,...", "Layers of the universal analysis [as configured]", add_layers},
    Flag{kModelsGroup, "--trainer", "N", "Trainer of the universal analysis' dictionaries [as configured]",
         set_trainer},
    Flag{kModelsGroup, "--tokens", "NAME,...", "Token types of both analyses [as configured]",
         [](Options& o, const Argument& a) { add_names(o.tokens, a); }},

    Flag{kComputeGroup, "--dtype", "bf16|fp32", "Precision of the model's matrix products [bf16]",
         [](Options& o, const Argument& a) {
           o.dtype = static_cast<Precision>(parse_choice(a, {"bf16", "fp32"}));
         }},
    Flag{kComputeGroup, "--device", "auto|cpu|cuda", "Where to compute [auto]",
         [](Options& o, const Argument& a) {
           o.device = static_cast<DeviceChoice>(parse_choice(a, {"auto", "cpu", "cuda"}));
         }},
    Flag{kComputeGroup, "--threads", "N", "Threads [one for each core]",
         [](Options& o, const Argument& a) { o.threads = static_cast<int>(parse_integer(a, 1, 4096)); }},
    Flag{kComputeGroup, "--memory-limit", "SIZE", "Memory to stay within, such as 8GiB",
         [](Options& o, const Argument& a) { o.memory_limit = parse_size(a); }},
    Flag{kComputeGroup, "--batch-tokens", "N", "Tokens that go through the model at once",
         [](Options& o, const Argument& a) { o.batch_tokens = parse_count(a); }},
    Flag{kComputeGroup, "--no-cache", "", "Neither use nor fill the activation cache",
         [](Options& o, const Argument&) { o.cache = false; }},

    Flag{kRunGroup, "--offline", "", "Use only what is on this machine",
         [](Options& o, const Argument&) { o.offline = true; }},
    Flag{kRunGroup, "--dry-run", "", "Print what would be downloaded, read, computed and written, and end",
         [](Options& o, const Argument&) { o.dry_run = true; }},
    Flag{kRunGroup, "--show-tokens", "",
         "Print every prompt's rendered text, token ids and token types, and end",
         [](Options& o, const Argument&) { o.show_tokens = true; }},
    Flag{kRunGroup, "--progress", "auto|bar|plain|none", "How progress is shown [auto]",
         [](Options& o, const Argument& a) {
           o.progress = static_cast<ProgressMode>(parse_choice(a, {"auto", "bar", "plain", "none"}));
         }},
    Flag{kRunGroup, "--quiet", "", "Show only warnings and errors",
         [](Options& o, const Argument&) { o.quiet = true; }},
};

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
  for (const Flag& flag : kFlags) names.emplace_back(flag.name);
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
  for (const Flag& flag : kFlags) {
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
  for (const Flag& flag : kFlags) {
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
  if (options.print_config || options.show_tokens) return;
  if (!options.analysis) {
    throw InputError({.what = "--analysis is missing",
                      .where = "command line",
                      .expected = "--analysis universal, --analysis specific or --analysis both",
                      .found = {},
                      .hint = "run_sae_analysis --help shows examples"});
  }
  const bool writes = !options.dry_run;
  std::vector<std::string> missing;
  if (options.universal() && writes && options.universal_output.empty())
    missing.emplace_back("--universal-output");
  if (options.specific() && options.features_csv.empty()) missing.emplace_back("--features-csv");
  if (options.specific() && writes && options.specific_output.empty())
    missing.emplace_back("--specific-output");
  if (missing.empty()) return;
  constexpr std::array kNames = {"universal", "specific", "both"};
  throw InputError({.what = fmt::format("--analysis {} needs {}",
                                        kNames[static_cast<std::size_t>(*options.analysis)], listed(missing)),
                    .where = "command line",
                    .expected = {},
                    .found = {},
                    .hint = "run_sae_analysis --help shows examples"});
}

bool same_place(const std::filesystem::path& a, const std::filesystem::path& b) {
  if (a.empty() || b.empty()) return false;
  std::error_code error;
  const auto first = std::filesystem::weakly_canonical(std::filesystem::absolute(a), error);
  const auto second = std::filesystem::weakly_canonical(std::filesystem::absolute(b), error);
  return !error && first == second;
}

/// One output must not replace the other, nor the user's own features.
void require_separate_files(const Options& options) {
  const std::array<std::pair<const char*, const std::filesystem::path*>, 3> files = {
      {{"--universal-output", options.universal() ? &options.universal_output : nullptr},
       {"--specific-output", options.specific() ? &options.specific_output : nullptr},
       {"--features-csv", options.specific() ? &options.features_csv : nullptr}}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t j = i + 1; j < files.size(); ++j) {
      if (files[i].second == nullptr || files[j].second == nullptr) continue;
      if (!same_place(*files[i].second, *files[j].second)) continue;
      throw InputError({.what = fmt::format("{} and {} name the same file", files[i].first, files[j].first),
                        .where = "command line",
                        .expected = "different files",
                        .found = files[i].second->string(),
                        .hint = {}});
    }
  }
}

/// Flags without effect in this run. A run that only shows something (--print-config, --show-tokens) is
/// usually a finished command line with one flag added: nothing is said about the rest of it.
std::vector<std::string> find_unused(const CLI::App& app, const Options& options) {
  if (options.print_config || options.show_tokens) return {};
  std::vector<std::string> idle;
  if (!options.specific()) idle = {"--specific-output", "--features-csv", "--record-prompts"};
  if (!options.universal()) {
    idle = {"--universal-output", "--threshold", "--models", "--layers", "--trainer"};
    if (!options.record_prompts) idle.emplace_back("--activation-threshold");
  }
  std::erase_if(idle, [&](const std::string& name) { return app.get_option(name)->count() == 0; });
  if (idle.empty()) return {};
  const bool source_decides = !options.universal();
  return {fmt::format("--analysis {} does not use {}{}", source_decides ? "specific" : "universal",
                      listed(idle),
                      source_decides ? " (the features CSV's column source decides what is analysed)" : "")};
}

}  // namespace

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
  require_separate_files(options);
  std::vector<std::string> warnings = find_unused(app, options);
  return {std::move(options), {}, std::move(warnings)};
}

}  // namespace saescope
