#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/sources.h"
#include "app/configuration.h"
#include "app/options.h"
#include "report/features_csv.h"

namespace saescope {

/// One feature that the specific analysis reads.
struct WantedFeature {
  int64_t feature_id = 0;
  std::size_t row = 0;  ///< index among the requested features, whose `place` names it in messages
  bool operator==(const WantedFeature&) const = default;
};

/// What is read at one token type with one SAE.
struct TokenPlan {
  TokenType token;
  std::vector<WantedFeature> features;  ///< of the specific analysis, each once, in the order of the CSV
};

/// What is done with one SAE.
struct SourcePlan {
  Source source;
  std::string sae_folder;         ///< below the entry's sae_dir and in its SAE repository
  bool universal = false;         ///< every feature counts, at every token type of `tokens`
  std::vector<TokenPlan> tokens;  ///< by name, ascending as strings
};

/// The SAEs of one layer.
struct LayerPlan {
  int64_t layer = 0;
  std::vector<SourcePlan> sources;  ///< by source name, ascending as strings
};

/// The work of one model: one pass up to its last layer.
struct ModelPlan {
  ModelEntry entry;
  std::vector<LayerPlan> layers;  ///< ascending

  /// Every token type that some source reads, in the entry's order.
  std::vector<TokenType> tokens() const;
};

/// All of a run's work, models in the configuration's order; without any for an empty features CSV.
struct Selection {
  std::vector<ModelPlan> models;
  std::vector<std::string> warnings;
};

/// The configuration of a run: `--config` over the built-in one, or the built-in one alone.
Configuration read_configuration(const Options& options);

/// The entries of --models, or the configuration's defaults, with their token types restricted to --tokens.
/// @throws InputError on a name that is not known, listing those that are, and on a model that is left
///         without a token type
std::vector<ModelEntry> chosen_models(const Options& options, const Configuration& configuration);

/// Decides what a run does.
/// - Universal: every chosen model × --layers (or its own) × --trainer (or its own) × token types.
/// - Specific: the column `source` alone decides models, trainers and layers; --tokens restricts the token
///   types, the column `token` further.
/// @throws InputError as chosen_models; with the row's place on a model or token type that is not known and
///         on a layer or trainer that the entry's sae_path cannot tell apart
Selection select_work(const Options& options, const Configuration& configuration,
                      const std::vector<RequestedFeature>& features);

}  // namespace saescope
