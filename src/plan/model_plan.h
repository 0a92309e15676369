#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/sources.h"
#include "plan/model_entry.h"

namespace saescope {

/// One feature whose activation on every prompt is wanted.
struct WantedFeature {
  int64_t feature_id = 0;
  std::size_t row = 0;  ///< index among RunPlan::requested, whose `place` names it in messages
  bool operator==(const WantedFeature&) const = default;
};

/// What is read at one token type with one SAE.
struct TokenPlan {
  TokenType token;
  std::vector<WantedFeature> features = {};  ///< each once, in the order in which they were requested
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
  std::vector<LayerPlan> layers;  ///< ascending, at least one; one may have no SAE
  bool every_token_type = false;  ///< the entry's token types are read even where no SAE is

  /// Every token type that is read, in the entry's order.
  std::vector<TokenType> tokens() const;
  /// How many of the model's first layers are computed.
  std::size_t layer_count() const { return static_cast<std::size_t>(layers.back().layer) + 1; }
};

/// All features of the entry's SAEs, at its layers and token types.
ModelPlan plan_all_features(ModelEntry entry);

}  // namespace saescope
