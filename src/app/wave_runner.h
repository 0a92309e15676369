#pragma once

#include <functional>
#include <span>
#include <string>

#include "app/activation_cache.h"
#include "app/prompt_tokens.h"
#include "app/wave_planner.h"
#include "app/wave_read_ahead.h"
#include "model/forward.h"

namespace saescope {

/// The activations of consecutive prompts at one layer.
struct ActivationBatch {
  std::size_t layer = 0;
  std::span<const std::size_t> prompt_indices;  ///< [prompts], ascending
  /// [token types · prompts, hidden]: all prompts at the first token type, then at the second, …
  MatrixView<const float> activations;
  /// Where the activations of all tokens were asked for: those of the wave's distinct prefixes [nodes,
  /// hidden], and for each prompt its tokens' nodes. Else empty.
  MatrixView<const float> nodes = {};
  std::span<const std::vector<int32_t>> paths = {};
};
using BatchSink = std::function<void(const ActivationBatch&)>;

/// What a WaveRunner did.
struct WaveCounts {
  std::size_t waves = 0;
  std::size_t computed_nodes = 0;  ///< distinct prefixes that went through the model
  std::size_t cached_prompts = 0;  ///< prompts whose activations came from the cache
};

/// Runs prompts through a model in waves of consecutive prompts, in order, so that what is summed over
/// prompts is summed in the same order however the waves are cut and whatever the cache holds.
class WaveRunner {
 public:
  /// @param layers ascending @param cache may be null @param model_name for messages
  /// @param all_tokens whether batches hold the activations of all tokens; the cache, which does not have
  /// them, is
  ///        then filled but not read
  WaveRunner(const Model& model, Backend& backend, const Context& context, DType compute,
             const WaveLimits& limits, std::vector<std::size_t> layers, ActivationCache* cache,
             WaveReadAhead& read_ahead, std::string model_name, bool all_tokens);

  /// @throws RunError where an activation is not finite, naming model, layer and prompt.
  void run(const TokenizedPrompts& prompts, const BatchSink& sink);

  const WaveCounts& counts() const { return counts_; }

 private:
  struct Wave;
  Wave take_wave(TokenizedPrompts::Reader& prompts);
  void run_wave(const Wave& wave, const BatchSink& sink);
  void deliver(const Wave& wave, std::size_t layer, MatrixView<const float> computed,
               const BatchSink& sink) const;
  void compute(const Wave& wave, const BatchSink& sink);
  std::size_t row_of(const Wave& wave, int32_t node) const;

  Forward forward_;
  const Context& context_;
  WaveLimits limits_;
  std::vector<std::size_t> layers_;
  ActivationCache* cache_;
  WaveReadAhead& read_ahead_;
  std::string model_name_;
  bool all_tokens_;
  WaveCounts counts_;
};

}  // namespace saescope
