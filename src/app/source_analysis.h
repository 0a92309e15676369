#pragma once

#include <vector>

#include "analysis/sources.h"
#include "analysis/universal.h"
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

  /// @param token_type index among the run's token types @param statistics must outlive this
  void add_universal(std::size_t token_type, UniversalStatistics& statistics);
  void add_specific(std::size_t token_type, SpecificTable& table);

  /// Encodes a batch of this SAE's layer. Batches arrive in prompt order.
  /// @throws RunError where an activation is not finite, naming model, layer, prompt and feature
  void add(const ActivationBatch& batch);

 private:
  void add_to_statistics(const ActivationBatch& batch);
  RunError not_finite(std::size_t prompt_idx, std::size_t feature) const;

  struct Universal {
    std::size_t token_type;
    UniversalStatistics* statistics;
  };
  struct Specific {
    std::size_t token_type;
    SpecificTable* table;
    FeatureEncoder encoder;
  };

  Source source_;
  const Dictionary& dictionary_;
  Backend& backend_;
  const Context& context_;
  Encoder encoder_;
  std::vector<Universal> universal_;
  std::vector<Specific> specific_;
};

}  // namespace saescope
