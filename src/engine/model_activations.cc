#include "engine/model_activations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/process_memory.h"
#include "engine/cache_folder.h"
#include "engine/content_key.h"
#include "engine/late_files.h"

namespace saescope {
namespace {

bool is_staged(const RunPlan& plan) { return plan.task.stage != Stage::kWhole; }

WaveLimits choose_waves(const OpenedModel& model, const RunPlan& plan, uint64_t other_bytes,
                        const Backend& backend, const Context& context) {
  const TokenizedPrompts& prompts = model.prepared.prompts;
  const WaveNeeds needs = {.config = model.checkpoint.model.config,
                           .compute = compute_type(plan.compute.dtype),
                           .all_tokens = plan.keep.all_tokens,
                           .longest_prompt = prompts.longest(),
                           .memory = memory_of_waves(plan.compute, other_bytes, backend),
                           .batch_tokens = plan.compute.batch_tokens};
  const WaveLimits limits = plan_waves(needs, backend);
  const uint64_t bytes = wave_bytes(needs, limits, prompts.total_tokens(), backend);
  require_address_space(other_bytes + (needs.memory.of_device ? 0 : bytes), context.threads);
  return limits;
}

PrefixKey key_at(const PromptTokens& prompt, int32_t position) {
  return prefix_key(std::span(prompt.ids).first(static_cast<std::size_t>(position) + 1));
}

}  // namespace

std::vector<std::size_t> layers_of(const OpenedModel& model) {
  std::vector<std::size_t> layers;
  for (const LayerPlan& layer : model.prepared.plan.layers) {
    layers.push_back(static_cast<std::size_t>(layer.layer));
  }
  return layers;
}

std::optional<std::filesystem::path> store_of(const ComputeSettings& settings) {
  if (!settings.cache) return std::nullopt;
  return settings.store.empty() ? usual_store() : std::optional(settings.store);
}

std::optional<uint64_t> limit_of_store(const RunPlan& plan) {
  if (is_staged(plan)) return std::nullopt;
  if (plan.compute.cache_limit || !plan.compute.store.empty()) return plan.compute.cache_limit;
  return ComputeSettings::kUsualCacheLimit;
}

std::string weights_key(const Checkpoint& checkpoint, const RunPlan& plan, const Context& context) {
  const std::filesystem::path store = store_of(plan.compute).value_or("");
  const bool may_read = is_staged(plan) || !plan.compute.store.empty();
  // Tasks that start together begin with different files, and find the others' notes of the rest.
  const std::size_t files = checkpoint.files.size();
  const std::size_t first = plan.task.share.of(files).begin;
  std::vector<std::string> keys(files);
  for (std::size_t i = 0; i < files; ++i) {
    const std::size_t file = (first + i) % files;
    const auto known = may_read
                           ? content_key(*checkpoint.files[file], checkpoint.places[file], store, context)
                           : known_content_key(checkpoint.places[file], store);
    if (!known) return places_key(checkpoint.places);
    keys[file] = *known;
  }
  return fmt::format("{}", fmt::join(keys, "\n"));
}

ModelActivations::ModelActivations(const OpenedModel& model, const RunPlan& plan, uint64_t other_bytes,
                                   Backend& backend, const Context& context)
    : model_(model),
      plan_(plan),
      backend_(backend),
      context_(context),
      settings_{
          .compute = compute_type(plan.compute.dtype),
          .rounds = plan.compute.stored == Precision::kBf16,
          .limits = choose_waves(model, plan, other_bytes, backend, context),
          .all_tokens = plan.keep.all_tokens,
          .caches_all_tokens = plan.keep.all_tokens && (is_staged(plan) || !plan.compute.store.empty())},
      cache_(open_cache()) {}

/// @return null where the plan wants none
std::unique_ptr<ActivationCache> ModelActivations::open_cache() const {
  const auto store = store_of(plan_.compute);
  if (!plan_.compute.cache) return nullptr;
  if (!store) {
    context_.progress->warn(
        "activations are not cached: this account has no home folder; XDG_CACHE_HOME names another");
    return nullptr;
  }
  const ModelConfig& config = model_.checkpoint.model.config;
  const DType stored = compute_type(plan_.compute.stored);
  const auto folder =
      activations_folder(*store, weights_key(model_.checkpoint, plan_, context_),
                         {std::string(name_of(settings_.compute)), backend_.numerics(settings_.compute),
                          fingerprint(config), std::string(name_of(stored))});
  const ActivationCache::Settings settings = {*store, limit_of_store(plan_), is_staged(plan_), stored};
  return std::make_unique<ActivationCache>(folder, config.hidden_size, settings, *context_.progress);
}

/// Whether a file of the store says that it has all that is wanted of a prompt.
bool ModelActivations::is_listed(const PromptTokens& prompt, std::span<const std::size_t> layers) const {
  const auto listed = [&](const PrefixKey& key) { return cache_->lists(key, layers); };
  if (settings_.caches_all_tokens) {
    const std::vector<PrefixKey> keys = prefix_keys(prompt.ids);
    return std::all_of(keys.begin(), keys.end(), listed);
  }
  return std::all_of(prompt.taps.begin(), prompt.taps.end(),
                     [&](int32_t tap) { return listed(key_at(prompt, tap)); });
}

TokenizedPrompts ModelActivations::not_stored(const TokenizedPrompts& prompts) const {
  const std::vector<std::size_t> layers = layers_of(model_);
  TokenizedPrompts missing;
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    if (!is_listed(prompt.current(), layers)) missing.add(prompt.current());
  }
  return missing;
}

std::size_t ModelActivations::count_missing(std::size_t first, std::span<const std::size_t> layers) const {
  std::size_t missing = 0;
  std::size_t position = 0;
  for (TokenizedPrompts::Reader prompt(model_.prepared.prompts); !prompt.done(); prompt.advance()) {
    if (position++ >= first && !is_listed(prompt.current(), layers)) ++missing;
  }
  return missing;
}

void ModelActivations::wait_for_others(std::size_t first, std::span<const std::size_t> layers) const {
  std::size_t missing = 0;
  const auto is_complete = [&] {
    cache_->refresh();
    missing = count_missing(first, layers);
    return missing == 0;
  };
  const std::string& name = model_.prepared.plan.entry.name;
  if (wait_for_files([&] { return fmt::format("{}: the activations of {} prompts", name, missing); },
                     is_complete, context_)) {
    return;
  }
  context_.progress->warn(fmt::format(
      "{}: the store has no activations of {} prompts; they are computed here (the stage forward makes "
      "them)",
      name, missing));
}

WaveStream ModelActivations::stream(StreamWork work) const {
  return WaveStream(model_, std::move(work), settings_, cache_.get(), backend_, context_);
}

}  // namespace saescope
