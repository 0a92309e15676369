#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/sources.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "plan/model_plan.h"
#include "plan/requested_feature.h"

namespace saescope {

/// All of a run's work, models in the configuration's order; without any for an empty features CSV.
struct Selection {
  std::vector<ModelPlan> models;
  std::vector<std::string> warnings;
};

/// The configuration of a run: `--config` over the built-in one, or the built-in one alone, and the
/// catalogue's models that
/// --models or a chosen feature names.
Configuration read_configuration(const Options& options, const std::vector<RequestedFeature>& features = {});

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
