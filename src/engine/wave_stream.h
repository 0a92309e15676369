#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/activation_cache.h"
#include "engine/activation_stream.h"
#include "engine/opened_model.h"
#include "engine/wave_planner.h"
#include "engine/wave_read_ahead.h"
#include "model/forward.h"

namespace saescope {

/// How a model's prompts become activations.
struct StreamSettings {
  DType compute = DType::kBF16;
  bool rounds = false;  ///< whether activations are rounded to bfloat16 before anybody sees them
  WaveLimits limits;
  bool all_tokens = false;  ///< whether batches hold the activations of all tokens
  /// Whether the cache is to hold all of these, too; else it is filled with the tapped ones alone, and not
  /// read.
  bool caches_all_tokens = false;
};

/// Which of a model's prompts are run, and where the model is read.
struct StreamWork {
  const TokenizedPrompts& prompts;
  std::size_t first = 0;           ///< prompts before this one are passed over
  std::vector<LayerReads> layers;  ///< ascending
};

/// What a WaveStream did.
struct WaveCounts {
  std::size_t waves = 0;
  std::size_t computed_nodes = 0;  ///< distinct prefixes that went through the model
  std::size_t cached_prompts = 0;  ///< prompts whose activations came from the cache
};

/// "4818 distinct prefixes computed in 1 wave; 12 prompts from the activation cache".
std::string in_words(const WaveCounts& counts);

/// Runs a model's prompts through it in waves of consecutive prompts, but for those that the cache has. What
/// was computed is cached once its wave is complete. A wave that a device's memory does not hold is begun
/// again half as large, and so are those behind it; layers at which its prompts were given already are
/// computed again, since the cache takes whole waves, but not given again.
class WaveStream final : public ActivationStream {
 public:
  /// @param model must outlive this, as all of these and the prompts @param cache may be null
  WaveStream(const OpenedModel& model, StreamWork work, const StreamSettings& settings,
             ActivationCache* cache, Backend& backend, const Context& context);

  /// @throws RunError where an activation is not finite, naming model, layer and prompt; OutOfDeviceMemory
  /// where a single prompt does not fit
  bool next(ActivationBatch& batch) override;

  /// The first prompts, with those that were passed over, that were given at every layer.
  std::size_t given_prompts() const { return given_.back(); }
  /// Whether others were given at some layers, and not yet at all of them.
  bool has_begun_prompts() const { return given_.front() != given_.back(); }

  /// Layers at which the model is read, ascending.
  const std::vector<std::size_t>& layers() const { return layers_; }
  const WaveCounts& counts() const { return counts_; }

 private:
  /// Where the activation at one token type of one prompt comes from.
  struct Tap {
    int32_t node = -1;  ///< of the wave's tree; -1: from the cache
    PrefixKey key;      ///< only filled where there is a cache
  };

  /// Consecutive prompts: those that are not in the cache are in the tree.
  struct Wave {
    TokenizedPrompts::Reader first_prompt;  ///< where it began
    WaveCounts counts_before;
    std::vector<std::size_t> prompt_indices = {};
    std::vector<std::vector<Tap>> taps = {};  ///< [prompts][token types]
    PrefixTree tree = {};
    std::vector<int32_t> tapped_nodes = {};    ///< ascending, distinct
    std::vector<int32_t> wanted_nodes = {};    ///< whose activations the model gives: all, or the tapped ones
    std::vector<int32_t> kept_nodes = {};      ///< those that are cached: all, or the tapped ones
    std::vector<PrefixKey> kept_keys = {};     ///< parallel, only where there is a cache
    std::vector<Matrix<float>> to_store = {};  ///< by layer [kept nodes, hidden]
    std::size_t next_layer = 0;                ///< position among the layers
    // Where all tokens are wanted:
    std::vector<std::vector<int32_t>> paths =
        {};  ///< [prompts] node of each token; those of cached_tree behind tree's
    std::vector<bool> path_is_cached = {};    ///< [prompts]
    std::vector<PrefixKey> node_keys = {};    ///< of the tree's nodes, where they are cached
    PrefixTree cached_tree = {};              ///< prefixes of the prompts that come from the cache
    std::vector<PrefixKey> cached_keys = {};  ///< of its nodes

    void collect_nodes(const StreamSettings& settings);
  };

  /// A layer's activations as the model gave them; without rows where all come from the cache.
  std::optional<TappedRows> next_rows();
  std::size_t prompts_before_border() const;
  void begin_wave();
  void finish_wave();
  bool may_halve_wave() const;
  void halve_wave();
  bool take_prompt(const PromptTokens& prompt, std::size_t& cached_rows);
  bool is_cached(std::span<const Tap> taps, std::span<const PrefixKey> keys);
  void add_path(std::span<const PrefixKey> keys, bool cached, std::vector<int32_t> path);
  void keep_for_cache(const TappedRows& computed);
  void take_computed(const float* computed, std::span<float> row) const;
  void put_together(const TappedRows& computed, ActivationBatch& batch);
  MatrixView<const float> rows_of_all_tokens(const TappedRows& computed);

  const OpenedModel& model_;
  StreamSettings settings_;
  ActivationCache* cache_;
  const Context& context_;
  Backend& backend_;
  std::vector<std::size_t> layers_;
  Forward forward_;
  WaveReadAhead read_ahead_;
  TokenizedPrompts::Reader prompts_;
  std::vector<std::size_t> given_;  ///< by layer: how many of the first prompts; descending
  std::unique_ptr<Wave> wave_;
  Matrix<float> rows_;        ///< of the batch that was given last
  Matrix<float> all_tokens_;  ///< of that batch, where some come from the cache
  WaveCounts counts_;
};

}  // namespace saescope
