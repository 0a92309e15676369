#pragma once

#include <vector>

#include "analysis/feature_tables.h"
#include "app/specific_results.h"
#include "app/wave_runner.h"
#include "base/error.h"
#include "sae/feature_encoder.h"

namespace saescope {

/// What is done with one SAE: its features' statistics at some token types, and the activations of
/// chosen features at others.
class SourceAnalysis {
 public:
  /// @param source for messages
  SourceAnalysis(Source source, const Dictionary& dictionary, Backend& backend, const Context& context)
      : source_(std::move(source)),
        dictionary_(dictionary),
        backend_(backend),
        context_(context),
        encoder_(dictionary.encoder(), backend, context) {}

  /// @param token_type index among the run's token types @param table must outlive this, as all tables
  void add_all_features(std::size_t token_type, FeatureTable& table);
  /// @param statistics of the same features; null where they are not wanted
  void add_chosen_features(std::size_t token_type, SpecificTable& table, FeatureTable* statistics);

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
    SpecificTable* table;
    FeatureTable* statistics;
    FeatureEncoder encoder;
  };

  void encode_all_features(const ActivationBatch& batch);
  void encode_chosen_features(ChosenFeatures& chosen, const ActivationBatch& batch);
  RunError not_finite(std::size_t prompt_idx, std::size_t feature) const;

  Source source_;
  const Dictionary& dictionary_;
  Backend& backend_;
  const Context& context_;
  Encoder encoder_;
  std::vector<AllFeatures> all_;
  std::vector<ChosenFeatures> chosen_;
};

}  // namespace saescope
