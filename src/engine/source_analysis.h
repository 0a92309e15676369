#pragma once

#include <optional>
#include <vector>

#include "analysis/feature_tables.h"
#include "base/context.h"
#include "base/error.h"
#include "engine/activation_stream.h"
#include "engine/chosen_activations.h"
#include "engine/opened_model.h"
#include "sae/feature_encoder.h"

namespace saescope {

/// What is done with one SAE: its features' statistics at some token types, and the activations of
/// chosen features at others.
class SourceAnalysis {
 public:
  /// @param source must outlive this, as backend and context
  SourceAnalysis(const OpenedSource& source, Backend& backend, const Context& context);

  /// @param token_type index among the run's token types @param features those of the table, the same ones at
  /// every token type
  /// @param table must outlive this, as all tables
  void add_all_features(std::size_t token_type, IndexRange features, FeatureTable& table);
  /// @param statistics of the same features; null where they are not wanted
  void add_chosen_features(std::size_t token_type, ChosenActivations& table, FeatureTable* statistics);

  /// Whether the device has the encoder of all features, so that the next batch reads nothing of it.
  bool device_has_encoder() const { return encoder_ && backend_.holds(encoder_->weight); }

  /// Encodes a batch of this SAE's layer. Batches arrive in prompt order.
  /// @throws RunError where an activation is not finite, naming model, layer, prompt and feature
  void add(const ActivationBatch& batch);

 private:
  struct AllFeatures {
    std::size_t token_type;
    FeatureTable* table;
  };
  struct ChosenFeatures {
    std::size_t token_type;
    ChosenActivations* table;
    FeatureTable* statistics;
    FeatureEncoder encoder;
  };

  void encode_all_features(const ActivationBatch& batch);
  void encode_chosen_features(ChosenFeatures& chosen, const ActivationBatch& batch);
  RunError not_finite(std::size_t prompt_idx, std::size_t feature) const;

  const OpenedSource& source_;
  Backend& backend_;
  const Context& context_;
  std::optional<BoundEncoder> encoder_;  ///< where all features are wanted
  std::vector<AllFeatures> all_;
  std::vector<ChosenFeatures> chosen_;
};

}  // namespace saescope
