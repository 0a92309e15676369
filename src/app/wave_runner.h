#pragma once

#include <functional>
#include <span>
#include <string>

#include "app/prompt_tokens.h"
#include "app/wave_planner.h"
#include "model/forward.h"

namespace saescope {

/// The activations of consecutive prompts at one layer.
struct ActivationBatch {
  std::size_t layer = 0;
  std::span<const std::size_t> prompt_indices;  ///< [prompts], ascending
  /// [token types · prompts, hidden]: all prompts at the first token type, then at the second, …
  MatrixView<const float> activations;
};
using BatchSink = std::function<void(const ActivationBatch&)>;

/// Runs prompts through a model in waves of consecutive prompts, in order, so that what is summed over
/// prompts is summed in the same order however the waves are cut.
class WaveRunner {
 public:
  /// @param layers ascending @param model_name for messages
  WaveRunner(const Model& model, Backend& backend, const Context& context, DType compute,
             const WaveLimits& limits, std::vector<std::size_t> layers, std::string model_name);

  /// @throws RunError where an activation is not finite, naming model, layer and prompt.
  void run(std::span<const PromptTokens> prompts, const BatchSink& sink);

  std::size_t computed_nodes() const { return computed_nodes_; }
  std::size_t waves() const { return waves_; }

 private:
  std::span<const PromptTokens> take_wave(std::span<const PromptTokens> prompts, PrefixTree& tree,
                                          std::vector<std::vector<int32_t>>& tap_nodes) const;
  void run_wave(std::span<const PromptTokens> wave, const PrefixTree& tree,
                const std::vector<std::vector<int32_t>>& tap_nodes, const BatchSink& sink);

  Forward forward_;
  WaveLimits limits_;
  std::vector<std::size_t> layers_;
  std::string model_name_;
  std::size_t computed_nodes_ = 0;
  std::size_t waves_ = 0;
};

}  // namespace saescope
