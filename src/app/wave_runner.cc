#include "app/wave_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "tensor/buffer.h"
#include "tensor/finite.h"

namespace saescope {
namespace {

void check_finite(const float* values, std::size_t count, const std::string& model, std::size_t layer,
                  std::size_t prompt) {
  if (!find_not_finite({values, count})) return;
  throw RunError({.what = "an activation is not a finite number",
                  .where = fmt::format("model {}, layer {}, prompt_idx {}", model, layer, prompt),
                  .expected = "finite numbers",
                  .found = "NaN or infinity",
                  .hint = "the checkpoint's weights may be damaged; with --dtype bf16 try --dtype fp32"});
}

/// Where the activation at one token type of one prompt comes from.
struct TapSource {
  int32_t node = -1;  ///< of the wave's tree; -1: from the cache
  PrefixKey key;      ///< only filled where there is a cache
};

}  // namespace

/// Consecutive prompts: those that are not in the cache are in the tree.
struct WaveRunner::Wave {
  std::vector<std::size_t> prompt_indices;
  std::vector<std::vector<TapSource>> taps;  ///< [prompts][token types]
  PrefixTree tree;
  std::vector<int32_t> tapped_nodes;   ///< ascending, distinct
  std::vector<PrefixKey> tapped_keys;  ///< parallel, only where there is a cache
  std::vector<std::vector<int32_t>>
      paths;  ///< [prompts] node of each token, only where all tokens are wanted

  void collect_tapped_nodes(bool with_keys);
  std::size_t row_of(int32_t node) const {
    return static_cast<std::size_t>(std::lower_bound(tapped_nodes.begin(), tapped_nodes.end(), node) -
                                    tapped_nodes.begin());
  }
};

void WaveRunner::Wave::collect_tapped_nodes(bool with_keys) {
  for (const auto& of_prompt : taps) {
    for (const TapSource& tap : of_prompt) {
      if (tap.node >= 0) tapped_nodes.push_back(tap.node);
    }
  }
  std::sort(tapped_nodes.begin(), tapped_nodes.end());
  tapped_nodes.erase(std::unique(tapped_nodes.begin(), tapped_nodes.end()), tapped_nodes.end());
  if (!with_keys) return;
  tapped_keys.resize(tapped_nodes.size());
  for (const auto& of_prompt : taps) {
    for (const TapSource& tap : of_prompt) {
      if (tap.node >= 0) tapped_keys[row_of(tap.node)] = tap.key;
    }
  }
}

WaveRunner::WaveRunner(const Model& model, Backend& backend, const Context& context, DType compute,
                       const WaveLimits& limits, std::vector<std::size_t> layers, ActivationCache* cache,
                       WaveReadAhead& read_ahead, std::string model_name, bool all_tokens)
    : forward_(model, backend, context, compute, limits.chunk_rows),
      context_(context),
      limits_(limits),
      layers_(std::move(layers)),
      cache_(cache),
      read_ahead_(read_ahead),
      model_name_(std::move(model_name)),
      all_tokens_(all_tokens) {}

/// The longest run of prompts whose tree stays within the limit, but at least one. A cached prompt counts
/// as the rows that it adds to the batch.
WaveRunner::Wave WaveRunner::take_wave(TokenizedPrompts::Reader& prompts) {
  Wave wave;
  std::size_t cached_rows = 0;
  std::vector<int32_t> node_of_position;
  for (; !prompts.done(); prompts.advance()) {
    const PromptTokens& prompt = prompts.current();
    std::vector<TapSource> taps(prompt.taps.size());
    bool cached = cache_ != nullptr && !all_tokens_;
    for (std::size_t t = 0; t < taps.size() && cache_ != nullptr; ++t) {
      taps[t].key = prefix_key(std::span(prompt.ids).first(static_cast<std::size_t>(prompt.taps[t]) + 1));
      cached = cached && cache_->contains(taps[t].key, layers_);
    }
    const std::size_t more = cached ? taps.size() : wave.tree.count_new_nodes(prompt.ids);
    if (!wave.taps.empty() && wave.tree.size() + cached_rows + more > limits_.nodes) break;
    if (cached) {
      cached_rows += taps.size();
      ++counts_.cached_prompts;
    } else {
      wave.tree.add(prompt.ids, &node_of_position);
      for (std::size_t t = 0; t < taps.size(); ++t) {
        taps[t].node = node_of_position[static_cast<std::size_t>(prompt.taps[t])];
      }
      if (all_tokens_) wave.paths.push_back(node_of_position);
    }
    wave.taps.push_back(std::move(taps));
    wave.prompt_indices.push_back(prompt.prompt_idx);
  }
  wave.collect_tapped_nodes(cache_ != nullptr);
  return wave;
}

void WaveRunner::run(const TokenizedPrompts& prompts, const BatchSink& sink) {
  for (TokenizedPrompts::Reader reader(prompts); !reader.done();) {
    context_.cancel->check();
    run_wave(take_wave(reader), sink);
  }
}

void WaveRunner::run_wave(const Wave& wave, const BatchSink& sink) {
  ++counts_.waves;
  read_ahead_.begin_wave(wave.tree.size() > 0);
  if (wave.tree.size() > 0) return compute(wave, sink);
  for (const std::size_t layer : layers_) deliver(wave, layer, {}, sink);
}

/// Runs the model over the wave's tree; what it computed is cached once the wave is complete.
void WaveRunner::compute(const Wave& wave, const BatchSink& sink) {
  counts_.computed_nodes += wave.tree.size();
  std::vector<Matrix<float>> to_store;
  std::vector<int32_t> all_nodes(all_tokens_ ? wave.tree.size() : 0);
  std::iota(all_nodes.begin(), all_nodes.end(), 0);
  const std::vector<int32_t>& nodes = all_tokens_ ? all_nodes : wave.tapped_nodes;
  const LayerHook before_layer = [&](std::size_t layer) { read_ahead_.reach_layer(layer); };
  forward_.run(wave.tree, {layers_, nodes}, before_layer,
               [&](std::size_t layer, MatrixView<const float> rows) {
                 deliver(wave, layer, rows, sink);
                 if (cache_ == nullptr) return;
                 Matrix<float>& copy = to_store.emplace_back(wave.tapped_nodes.size(), rows.cols);
                 for (std::size_t i = 0; i < copy.rows(); ++i) {
                   std::copy_n(rows.row(row_of(wave, wave.tapped_nodes[i])), rows.cols, copy.row(i));
                 }
               });
  if (cache_ == nullptr) return;
  std::vector<MatrixView<const float>> views;
  for (const Matrix<float>& matrix : to_store) views.push_back(matrix.view());
  cache_->store(wave.tapped_keys, layers_, views);
}

/// Where a node's activation stands among those that the model gave.
std::size_t WaveRunner::row_of(const Wave& wave, int32_t node) const {
  return all_tokens_ ? static_cast<std::size_t>(node) : wave.row_of(node);
}

/// Puts the rows of a layer together, by token type and prompt.
/// @param computed [tapped nodes, hidden], or those of all nodes
void WaveRunner::deliver(const Wave& wave, std::size_t layer, MatrixView<const float> computed,
                         const BatchSink& sink) const {
  const std::size_t prompts = wave.prompt_indices.size();
  const std::size_t hidden = forward_.hidden_size();
  Matrix<float> batch(wave.taps.front().size() * prompts, hidden);
  for (std::size_t p = 0; p < prompts; ++p) {
    for (std::size_t t = 0; t < wave.taps[p].size(); ++t) {
      const TapSource& tap = wave.taps[p][t];
      const float* row = tap.node >= 0 ? computed.row(row_of(wave, tap.node)) : cache_->find(tap.key, layer);
      check_finite(row, hidden, model_name_, layer, wave.prompt_indices[p]);
      std::copy_n(row, hidden, batch.row(t * prompts + p));
    }
  }
  read_ahead_.reach_encoders(layer);
  ActivationBatch delivered = {layer, wave.prompt_indices, batch.view()};
  if (all_tokens_) {
    delivered.nodes = computed;
    delivered.paths = wave.paths;
  }
  sink(delivered);
}

}  // namespace saescope
