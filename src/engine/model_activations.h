#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/activation_cache.h"
#include "engine/opened_model.h"
#include "engine/wave_stream.h"
#include "plan/run_plan.h"

namespace saescope {

/// The layers at which a model is read.
std::vector<std::size_t> layers_of(const OpenedModel& model);

/// Where a run's activations are kept: the store it names, else the user's cache; nothing where it wants
/// none, or the account has no place for one.
std::optional<std::filesystem::path> store_of(const ComputeSettings& settings);

/// How large the store may grow; nothing: as large as it gets. While stages work in it, nothing is taken out.
std::optional<uint64_t> limit_of_store(const RunPlan& plan);

/// What names a model's weights by their content; by their places where nobody has read all of them and the
/// run does not name a store.
std::string weights_key(const Checkpoint& checkpoint, const RunPlan& plan, const Context& context);

/// One model's activations for a run's prompts: how they are computed, and where they are kept.
class ModelActivations {
 public:
  /// @param other_bytes what the run holds besides the forward pass. All references must outlive this.
  /// @throws RunError where the address space does not hold the waves; InputError where memory does not
  ModelActivations(const OpenedModel& model, const RunPlan& plan, uint64_t other_bytes, Backend& backend,
                   const Context& context);

  /// Those of the prompts that are not in the store, at all of the model's layers.
  TokenizedPrompts not_stored(const TokenizedPrompts& prompts) const;

  /// Other machines' files are seen late on some shared file systems: waits for those of the model's prompts
  /// from `first` on, at these layers. What does not come in time will be computed here, which is reported.
  /// @throws Interrupted
  void wait_for_others(std::size_t first, std::span<const std::size_t> layers) const;

  /// The stream, from the store where that has a prompt. @throws as WaveStream
  WaveStream stream(StreamWork work) const;

  bool are_kept() const { return cache_ != nullptr; }
  bool keeps_all_tokens() const { return settings_.caches_all_tokens; }

 private:
  std::unique_ptr<ActivationCache> open_cache() const;
  bool is_listed(const PromptTokens& prompt, std::span<const std::size_t> layers) const;
  std::size_t count_missing(std::size_t first, std::span<const std::size_t> layers) const;

  const OpenedModel& model_;
  const RunPlan& plan_;
  Backend& backend_;
  const Context& context_;
  StreamSettings settings_;
  std::unique_ptr<ActivationCache> cache_;
};

}  // namespace saescope
