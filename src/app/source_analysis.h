#pragma once

#include <vector>

#include "analysis/universal.h"
#include "app/specific_results.h"
#include "app/wave_runner.h"
#include "sae/encoder.h"

namespace saescope {

/// What is done with one SAE: its features' statistics at some token types, and the activations of
/// chosen features at others.
class SourceAnalysis {
 public:
  SourceAnalysis(const Dictionary& dictionary, Backend& backend, const Context& context)
      : encoder_(dictionary.encoder(), backend, context), threads_(context.threads) {}

  /// @param token_type index among the run's token types @param statistics must outlive this
  void add_universal(std::size_t token_type, UniversalStatistics& statistics);
  void add_specific(std::size_t token_type, SpecificTable& table);

  /// Encodes a batch of this SAE's layer. Batches arrive in prompt order.
  void add(const ActivationBatch& batch);

 private:
  void add_to_statistics(const ActivationBatch& batch);
  template <typename Result>
  struct AtTokenType {
    std::size_t token_type;
    Result* result;
  };

  Encoder encoder_;
  int threads_;
  std::vector<AtTokenType<UniversalStatistics>> universal_;
  std::vector<AtTokenType<SpecificTable>> specific_;
};

}  // namespace saescope
