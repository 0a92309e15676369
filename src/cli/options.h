#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "output/output_settings.h"
#include "plan/run_plan.h"

namespace saescope {

enum class Analysis { kUniversal, kSpecific, kBoth };

/// The words of enumerations, in their order: what flags take and what outputs say.
inline constexpr const char* kAnalysisWords = "universal|specific|both";
inline constexpr const char* kPrecisionWords = "bf16|fp32";
inline constexpr const char* kDeviceWords = "auto|cpu|cuda|torch-cpu";
inline constexpr const char* kStageWords = "forward|encode|finish";  ///< of Stage those behind kWhole
inline constexpr const char* kProgressWords = "auto|bar|plain|json|none";

/// A file and the flag that names it.
struct NamedFile {
  const char* flag;
  std::filesystem::path path;
};

/// In place of a path: explanations are fetched from Neuronpedia's public export.
inline constexpr const char* kFetchedDescriptions = "auto";

/// Everything the command line says. Values are checked; nothing was read from disk.
struct Options {
  std::optional<Analysis> analysis;  ///< set unless show_tokens, print_config or only activations are wanted
  std::filesystem::path universal_output;
  std::filesystem::path specific_output;
  std::filesystem::path features_csv;
  double threshold = 0.3;              ///< fraction of the prompts, 0 … 1
  float activation_threshold = 0.01f;  ///< finite
  bool record_prompts = false;
  std::filesystem::path token_activations;  ///< empty: none
  std::filesystem::path activations;        ///< --activations-output; empty: none
  std::filesystem::path report;             ///< empty: none
  std::filesystem::path descriptions;       ///< a path or kFetchedDescriptions; empty: none
  std::filesystem::path pt_descriptions;    ///< the same
  std::filesystem::path contrast_output;    ///< empty: none
  std::vector<std::string> contrast_pairs;  ///< "A:B"; empty: every label against the rest
  double contrast_q = 0.05;                 ///< 0 … 1
  std::filesystem::path prompts_path = "./prompts";
  std::string content_key;  ///< empty: content
  PromptLimits limits;

  std::filesystem::path config;  ///< empty: built-in models alone
  std::string model;             ///< a path or a hub id, for this run; empty: as configured
  std::string sae;  ///< an SAE's path, or its repository and the path in it; empty: as configured
  std::vector<std::string> models;  ///< empty: as the configuration says
  std::vector<int64_t> layers;      ///< empty: each model's own
  std::vector<std::string> tokens;  ///< empty: every token type
  std::optional<std::string> trainer;

  ComputeSettings compute;
  Stage stage = Stage::kWhole;
  std::optional<Share> task;  ///< set for the stages forward and encode
  int threads = 0;            ///< 0: one for each processor that the process may use
  bool offline = false;

  bool dry_run = false;
  bool show_tokens = false;
  bool print_config = false;
  bool list = false;  ///< the catalogue
  ProgressMode progress = ProgressMode::kAuto;
  bool quiet = false;

  bool universal() const { return analysis && *analysis != Analysis::kSpecific; }
  bool specific() const { return analysis && *analysis != Analysis::kUniversal; }
  /// Whether an output has descriptions of features.
  bool describes() const { return universal() || (analysis && !report.empty()); }
  /// Whether the chosen features' activations are wanted at every token.
  bool all_tokens() const { return specific() && !token_activations.empty(); }
  /// Whether statistics by label are wanted.
  bool gathers() const { return analysis && (!contrast_output.empty() || !report.empty()); }
  /// What becomes of the results: paths of those outputs alone that this analysis has.
  OutputSettings output_settings() const;
  /// The files that the run writes, with the flag that asks for each.
  std::vector<NamedFile> outputs() const;
};

/// A command line that was understood.
struct CommandLine {
  std::optional<Options> options;     ///< nothing for --help and --version
  std::string text;                   ///< what --help or --version print on stdout (exit code 0)
  std::vector<std::string> warnings;  ///< flags that were given but have no effect in this run
};

/// Reads the command line. A flag given twice counts as given last; list flags add up.
/// @throws InputError (exit code 2) on unknown flags, with the closest known one; on values that cannot
///         be used; on combinations that lack something.
CommandLine parse_options(int argc, const char* const* argv);

}  // namespace saescope
