#include "cli/option_flags.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "analysis/sources.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/array_task.h"

namespace saescope {
namespace {

constexpr int64_t kMaxCount = std::numeric_limits<int64_t>::max();

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

void set_contrast_q(Options& options, const Argument& argument) {
  constexpr auto kExpected = "a false discovery rate from 0.0 to 1.0";
  options.contrast_q = parse_double(argument, kExpected);
  if (options.contrast_q >= 0.0 && options.contrast_q <= 1.0) return;
  throw InputError({.what = "the value cannot be used",
                    .where = argument.flag,
                    .expected = kExpected,
                    .found = shown_text(argument.text),
                    .hint = "0.05 keeps rows of which about 5 % are expected to be chance"});
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

/// A word, or cuda:N.
DeviceChoice parse_device(const Argument& argument) {
  constexpr std::string_view kNumbered = "cuda:";
  constexpr int kMostGpus = 1024;
  if (!argument.text.starts_with(kNumbered)) {
    return {static_cast<DeviceKind>(parse_choice(argument, kDeviceWords))};
  }
  const Argument number = {argument.flag, argument.text.substr(kNumbered.size())};
  return {DeviceKind::kCuda, static_cast<int>(parse_integer(number, 0, kMostGpus - 1))};
}

uint64_t parse_count(const Argument& argument) {
  return static_cast<uint64_t>(parse_integer(argument, 1, kMaxCount));
}

constexpr auto kAnalysisGroup = "Analysis";
constexpr auto kViewGroup = "What the features mean and where labels differ";
constexpr auto kModelsGroup = "Models, dictionaries and token types";
constexpr auto kComputeGroup = "Computation";
constexpr auto kMachinesGroup = "Many machines";

constexpr std::array kFlags = {
    Flag{kAnalysisGroup, "--analysis", kAnalysisWords, "Which analysis to run",
         [](Options& o, const Argument& a) {
           o.analysis = static_cast<Analysis>(parse_choice(a, kAnalysisWords));
         }},
    Flag{kAnalysisGroup, "--universal-output", "FILE", "Path to save the universal features CSV",
         [](Options& o, const Argument& a) { o.universal_output = expand_home(a.text); }},
    Flag{kAnalysisGroup, "--specific-output", "FILE", "Path to save the specific analysis CSV",
         [](Options& o, const Argument& a) { o.specific_output = expand_home(a.text); }},
    Flag{kAnalysisGroup, "--features-csv", "FILE",
         "CSV with the columns feature_id and source, optionally token",
         [](Options& o, const Argument& a) { o.features_csv = expand_home(a.text); }},
    Flag{kAnalysisGroup, "--threshold", "FRACTION",
         "Fraction of the prompts (0.0-1.0) that must activate a universal feature [0.3]", set_threshold},
    Flag{kAnalysisGroup, "--activation-threshold", "NUMBER",
         "Activation above which a feature is active on a prompt [0.01]",
         [](Options& o, const Argument& a) { o.activation_threshold = parse_float(a, "a finite number"); }},
    Flag{kAnalysisGroup, "--record-prompts", "",
         "Record the prompts that activate the features of the specific analysis in "
         "{csv_basename}_activeprompts.jsonl beside its CSV",
         [](Options& o, const Argument&) { o.record_prompts = true; }},
    Flag{kAnalysisGroup, "--prompts-path", "PATH",
         "Prompts: .jsonl (or .gz), .json, .csv, a pipe, or a folder of .jsonl files [./prompts]",
         [](Options& o, const Argument& a) { o.prompts_path = expand_home(a.text); }},
    Flag{kAnalysisGroup, "--content-key", "KEY", "Key or column that holds the prompts [content]",
         [](Options& o, const Argument& a) { o.content_key = a.text; }},
    Flag{kAnalysisGroup, "--max-tokens", "N", "Longest prompt in tokens [the model's context]",
         [](Options& o, const Argument& a) { o.limits.max_tokens = parse_count(a); }},
    Flag{kAnalysisGroup, "--skip-long", "", "Leave out longer prompts with a warning instead of stopping",
         [](Options& o, const Argument&) { o.limits.skip_long = true; }},

    Flag{kViewGroup, "--report", "FILE", "HTML page that shows the results, to be opened in a browser",
         [](Options& o, const Argument& a) { o.report = expand_home(a.text); }},
    Flag{kViewGroup, "--descriptions", "PATH|auto",
         "Explanations for the column chat_desc: a .jsonl or .jsonl.gz file as Neuronpedia exports them, a "
         "folder, or auto to fetch them from its public export",
         [](Options& o, const Argument& a) { o.descriptions = expand_home(a.text); }},
    Flag{kViewGroup, "--pt-descriptions", "PATH|auto", "The same for the column pt_desc",
         [](Options& o, const Argument& a) { o.pt_descriptions = expand_home(a.text); }},
    Flag{kViewGroup, "--token-activations", "FILE",
         "JSONL of the chosen features' activations at every token of the prompts that activate them",
         [](Options& o, const Argument& a) { o.token_activations = expand_home(a.text); }},
    Flag{kViewGroup, "--activations-output", "FILE",
         "safetensors file of the residual stream at the token types; without --analysis no SAE is read",
         [](Options& o, const Argument& a) { o.activations = expand_home(a.text); }},
    Flag{kViewGroup, "--contrast-output", "FILE",
         "CSV of the features whose activity differs between the prompts' labels",
         [](Options& o, const Argument& a) { o.contrast_output = expand_home(a.text); }},
    Flag{kViewGroup, "--contrast", "A:B", "Compare label A with label B [every label with the rest]",
         [](Options& o, const Argument& a) { append_unique(o.contrast_pairs, a.text); }},
    Flag{kViewGroup, "--contrast-q", "NUMBER", "Largest false discovery rate (q-value) of a row [0.05]",
         set_contrast_q},

    Flag{kModelsGroup, "--config", "FILE", "TOML file that adds or overrides models",
         [](Options& o, const Argument& a) { o.config = expand_home(a.text); }},
    Flag{kModelsGroup, "--print-config", "", "Print the configuration in its file format and end",
         [](Options& o, const Argument&) { o.print_config = true; }},
    Flag{kModelsGroup, "--list", "", "List published SAEs that can be named, and end",
         [](Options& o, const Argument&) { o.list = true; }},
    Flag{kModelsGroup, "--model", "PATH_OR_REPO", "A model for this run: a folder, a .gguf file or a hub id",
         [](Options& o, const Argument& a) { o.model = a.text; }},
    Flag{kModelsGroup, "--sae", "PATH_OR_REPO",
         "An SAE for this run: its folder or file, or org/name/path of a repository; {layer} may be part of "
         "it",
         [](Options& o, const Argument& a) { o.sae = a.text; }},
    Flag{kModelsGroup, "--models", "NAME,...",
         "Models of the universal analysis, configured or listed [all that are configured]",
         [](Options& o, const Argument& a) { add_names(o.models, a); }},
    Flag{kModelsGroup, "--layers", "N,...", "Layers of the universal analysis [as configured]", add_layers},
    Flag{kModelsGroup, "--trainer", "N", "Trainer of the universal analysis' dictionaries [as configured]",
         set_trainer},
    Flag{kModelsGroup, "--tokens", "NAME,...", "Token types of both analyses [as configured]",
         [](Options& o, const Argument& a) { add_names(o.tokens, a); }},

    Flag{kComputeGroup, "--dtype", kPrecisionWords, "Precision of the model's matrix products [bf16]",
         [](Options& o, const Argument& a) {
           o.compute.dtype = static_cast<Precision>(parse_choice(a, kPrecisionWords));
         }},
    Flag{kComputeGroup, "--device", "auto|cpu|cuda[:N]",
         "Where to compute; cuda: a GPU through an installed PyTorch, tried on PyTorch's CPU device only and "
         "not "
         "yet on a GPU [auto]",
         [](Options& o, const Argument& a) { o.compute.device = parse_device(a); }},
    Flag{kComputeGroup, "--threads", "N", "Threads [one for each processor that the process may use]",
         [](Options& o, const Argument& a) { o.threads = static_cast<int>(parse_integer(a, 1, 4096)); }},
    Flag{kComputeGroup, "--memory-limit", "SIZE",
         "Memory to stay within, such as 8GiB [what the process may use]",
         [](Options& o, const Argument& a) { o.compute.memory_limit = parse_size(a); }},
    Flag{kComputeGroup, "--batch-tokens", "N", "Tokens that go through the model at once",
         [](Options& o, const Argument& a) { o.compute.batch_tokens = parse_count(a); }},
    Flag{kComputeGroup, "--cache-limit", "SIZE",
         "Disk space that the activation cache may take [8GiB; a --store: any]",
         [](Options& o, const Argument& a) { o.compute.cache_limit = parse_size(a); }},
    Flag{kComputeGroup, "--no-cache", "", "Neither use nor fill the activation cache",
         [](Options& o, const Argument&) { o.compute.cache = false; }},

    Flag{kMachinesGroup, "--stage", kStageWords,
         "Do one stage of a run that several tasks share; all of them get the same flags",
         [](Options& o, const Argument& a) {
           o.stage = static_cast<Stage>(parse_choice(a, kStageWords) + 1);
         }},
    Flag{kMachinesGroup, "--task", "I/N|auto",
         "Which of the stage's tasks this is, from 1 to N; auto: as a job array's variables say",
         [](Options& o, const Argument& a) { o.task = parse_task(a); }},
    Flag{kMachinesGroup, "--store", "DIR",
         "Folder that all tasks see, for activations and what tasks find [the activation cache]",
         [](Options& o, const Argument& a) { o.compute.store = expand_home(a.text); }},
    Flag{kMachinesGroup, "--store-dtype", kPrecisionWords,
         "Precision in which activations are kept, and therefore encoded; bf16 halves the store [fp32]",
         [](Options& o, const Argument& a) {
           o.compute.stored = static_cast<Precision>(parse_choice(a, kPrecisionWords));
         }},
    Flag{kMachinesGroup, "--local-copy", "DIR",
         "Folder of this machine: the model's weights are copied there once and read from there",
         [](Options& o, const Argument& a) { o.compute.local_copy = expand_home(a.text); }},

    Flag{kRunGroup, "--offline", "", "Use only what is on this machine",
         [](Options& o, const Argument&) { o.offline = true; }},
    Flag{kRunGroup, "--dry-run", "", "Print what would be downloaded, read, computed and written, and end",
         [](Options& o, const Argument&) { o.dry_run = true; }},
    Flag{kRunGroup, "--show-tokens", "",
         "Print every prompt's rendered text, token ids and token types, and end",
         [](Options& o, const Argument&) { o.show_tokens = true; }},
    Flag{kRunGroup, "--progress", kProgressWords,
         "How progress is shown; json: for programs, an object on each line [auto]",
         [](Options& o, const Argument& a) {
           o.progress = static_cast<ProgressMode>(parse_choice(a, kProgressWords));
         }},
    Flag{kRunGroup, "--quiet", "", "Print nothing but warnings and errors",
         [](Options& o, const Argument&) { o.quiet = true; }},
};

}  // namespace

std::span<const Flag> option_flags() { return kFlags; }

}  // namespace saescope
