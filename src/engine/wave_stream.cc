#include "engine/wave_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "tensor/finite.h"
#include "tensor/float16.h"

namespace saescope {
namespace {

void check_finite(std::span<const float> values, const std::string& model, std::size_t layer,
                  std::size_t prompt) {
  if (!find_not_finite(values)) return;
  throw RunError({.what = "an activation is not a finite number",
                  .where = fmt::format("model {}, layer {}, prompt_idx {}", model, layer, prompt),
                  .expected = "finite numbers",
                  .found = "NaN or infinity",
                  .hint = "the checkpoint's weights may be damaged; with --dtype bf16 try --dtype fp32"});
}

/// Position of a node among ascending ones that hold it.
std::size_t position_of(const std::vector<int32_t>& nodes, int32_t node) {
  return static_cast<std::size_t>(std::lower_bound(nodes.begin(), nodes.end(), node) - nodes.begin());
}

std::vector<std::size_t> layers_of(const StreamWork& work) {
  std::vector<std::size_t> layers;
  for (const LayerReads& reads : work.layers) layers.push_back(reads.layer);
  return layers;
}

}  // namespace

std::string in_words(const WaveCounts& counts) {
  std::string words = fmt::format("{} distinct prefixes computed in {} wave{}", counts.computed_nodes,
                                  counts.waves, counts.waves == 1 ? "" : "s");
  if (counts.cached_prompts > 0) {
    words += fmt::format("; {} prompts from the activation cache", counts.cached_prompts);
  }
  return words;
}

void WaveStream::Wave::collect_nodes(const StreamSettings& settings) {
  for (const auto& of_prompt : taps) {
    for (const Tap& tap : of_prompt) {
      if (tap.node >= 0) tapped_nodes.push_back(tap.node);
    }
  }
  std::sort(tapped_nodes.begin(), tapped_nodes.end());
  tapped_nodes.erase(std::unique(tapped_nodes.begin(), tapped_nodes.end()), tapped_nodes.end());
  std::vector<int32_t> all_nodes(settings.all_tokens ? tree.size() : 0);
  std::iota(all_nodes.begin(), all_nodes.end(), 0);
  wanted_nodes = settings.all_tokens ? all_nodes : tapped_nodes;
  kept_nodes = settings.caches_all_tokens ? all_nodes : tapped_nodes;
  kept_keys = node_keys;
  if (!settings.caches_all_tokens) {
    kept_keys.resize(kept_nodes.size());
    for (const auto& of_prompt : taps) {
      for (const Tap& tap : of_prompt) {
        if (tap.node >= 0) kept_keys[position_of(kept_nodes, tap.node)] = tap.key;
      }
    }
  }
  for (std::size_t p = 0; p < paths.size(); ++p) {
    if (!path_is_cached[p]) continue;
    for (int32_t& node : paths[p]) node += static_cast<int32_t>(tree.size());
  }
}

WaveStream::WaveStream(const OpenedModel& model, StreamWork work, const StreamSettings& settings,
                       ActivationCache* cache, Backend& backend, const Context& context)
    : model_(model),
      settings_(settings),
      cache_(cache),
      context_(context),
      backend_(backend),
      layers_(layers_of(work)),
      forward_(model.checkpoint.model, backend, context, settings.compute, settings.limits.chunk_rows),
      read_ahead_(model, backend, std::move(work.layers)),
      prompts_(work.prompts) {
  settings_.caches_all_tokens = settings.caches_all_tokens && settings.all_tokens && cache != nullptr;
  for (std::size_t i = 0; i < work.first && !prompts_.done(); ++i) prompts_.advance();
  given_.assign(layers_.size(), prompts_.position());
}

bool WaveStream::next(ActivationBatch& batch) {
  bool is_new = false;
  while (!is_new) {
    if (wave_ && wave_->next_layer == layers_.size()) finish_wave();
    if (!wave_ && prompts_.done()) return false;
    const auto computed = next_rows();
    std::size_t& given = given_[wave_->next_layer];
    is_new = given < prompts_.position();
    if (is_new) put_together(computed ? *computed : TappedRows{layers_[wave_->next_layer]}, batch);
    if (computed) keep_for_cache(*computed);
    given = std::max(given, prompts_.position());
    ++wave_->next_layer;
  }
  return true;
}

/// How many of the first prompts end where a layer was given more than the next one: a wave across that
/// border would be new in part.
std::size_t WaveStream::prompts_before_border() const {
  std::size_t border = std::numeric_limits<std::size_t>::max();
  for (const std::size_t given : given_) {
    if (given > prompts_.position()) border = std::min(border, given);
  }
  return border;
}

/// Takes the longest run of prompts whose tree stays within the limit, but at least one.
void WaveStream::begin_wave() {
  context_.cancel->check();
  wave_ = std::make_unique<Wave>(Wave{.first_prompt = prompts_, .counts_before = counts_});
  std::size_t cached_rows = 0;
  const std::size_t border = prompts_before_border();
  while (!prompts_.done() && prompts_.position() < border && take_prompt(prompts_.current(), cached_rows)) {
    prompts_.advance();
  }
  wave_->collect_nodes(settings_);
  ++counts_.waves;
  counts_.computed_nodes += wave_->tree.size();
  const bool computes = wave_->tree.size() > 0;
  read_ahead_.begin_wave(computes);
  if (computes) forward_.begin(wave_->tree, {layers_, wave_->wanted_nodes});
}

/// @param keys of all positions, where the cache is to have them
bool WaveStream::is_cached(std::span<const Tap> taps, std::span<const PrefixKey> keys) {
  if (cache_ == nullptr || (settings_.all_tokens && !settings_.caches_all_tokens)) return false;
  return std::all_of(taps.begin(), taps.end(),
                     [&](const Tap& tap) { return cache_->contains(tap.key, layers_); }) &&
         std::all_of(keys.begin(), keys.end(),
                     [&](const PrefixKey& key) { return cache_->contains(key, layers_); });
}

/// @param cached_rows rows of the batch that come from the cache, which count as nodes
/// @return false, and nothing is taken, where the prompt does not fit into the wave
bool WaveStream::take_prompt(const PromptTokens& prompt, std::size_t& cached_rows) {
  Wave& wave = *wave_;
  std::vector<Tap> taps(prompt.taps.size());
  for (std::size_t t = 0; t < taps.size() && cache_ != nullptr; ++t) {
    taps[t].key = prefix_key(std::span(prompt.ids).first(static_cast<std::size_t>(prompt.taps[t]) + 1));
  }
  const auto keys = settings_.caches_all_tokens ? prefix_keys(prompt.ids) : std::vector<PrefixKey>();
  const bool cached = is_cached(taps, keys);
  const PrefixTree& tree = cached ? wave.cached_tree : wave.tree;
  const std::size_t more =
      (cached ? taps.size() : 0) + (cached && !settings_.all_tokens ? 0 : tree.count_new_nodes(prompt.ids));
  if (!wave.taps.empty() && wave.tree.size() + cached_rows + more > settings_.limits.nodes) return false;
  std::vector<int32_t> path;
  if (cached) {
    cached_rows += more;
    ++counts_.cached_prompts;
    if (settings_.all_tokens) wave.cached_tree.add(prompt.ids, &path);
  } else {
    wave.tree.add(prompt.ids, &path);
    for (std::size_t t = 0; t < taps.size(); ++t) {
      taps[t].node = path[static_cast<std::size_t>(prompt.taps[t])];
    }
  }
  if (settings_.all_tokens) add_path(keys, cached, std::move(path));
  wave.taps.push_back(std::move(taps));
  wave.prompt_indices.push_back(prompt.prompt_idx);
  return true;
}

/// Where all tokens are wanted: a prompt's nodes in one of the trees.
void WaveStream::add_path(std::span<const PrefixKey> keys, bool cached, std::vector<int32_t> path) {
  std::vector<PrefixKey>& node_keys = cached ? wave_->cached_keys : wave_->node_keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto node = static_cast<std::size_t>(path[i]);
    if (node >= node_keys.size()) node_keys.resize(node + 1);
    node_keys[node] = keys[i];
  }
  wave_->paths.push_back(std::move(path));
  wave_->path_is_cached.push_back(cached);
}

std::optional<TappedRows> WaveStream::next_rows() {
  for (;;) {
    try {
      if (!wave_) begin_wave();
      if (wave_->tree.size() == 0) return std::nullopt;
      return forward_.next([&](std::size_t layer) { read_ahead_.reach_layer(layer); });
    } catch (const OutOfDeviceMemory&) {
      if (!may_halve_wave()) throw;
      halve_wave();
    }
  }
}

bool WaveStream::may_halve_wave() const { return wave_->prompt_indices.size() > 1 && wave_->tree.size() > 1; }

/// Goes back to before the wave, whose successors are half as large. What differs by size of waves is time
/// alone.
void WaveStream::halve_wave() {
  settings_.limits.nodes = wave_->tree.size() / 2;
  context_.progress->warn(
      fmt::format("{}: the device's memory does not hold {} tokens at once; going on with {}",
                  model_.prepared.plan.entry.name, wave_->tree.size(), settings_.limits.nodes));
  forward_.end();
  backend_.save_memory();
  prompts_ = wave_->first_prompt;
  counts_ = wave_->counts_before;
  wave_.reset();
}

void WaveStream::keep_for_cache(const TappedRows& computed) {
  if (cache_ == nullptr) return;
  const std::vector<int32_t>& nodes = wave_->kept_nodes;
  Matrix<float>& copy = wave_->to_store.emplace_back(nodes.size(), computed.rows.cols);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::copy_n(computed.rows.row(position_of(wave_->wanted_nodes, nodes[i])), computed.rows.cols,
                copy.row(i));
  }
}

void WaveStream::finish_wave() {
  forward_.end();
  if (!wave_->to_store.empty()) {
    std::vector<MatrixView<const float>> views;
    for (const Matrix<float>& matrix : wave_->to_store) views.push_back(std::as_const(matrix).view());
    cache_->store(wave_->kept_keys, layers_, views);
  }
  if (cache_ != nullptr) cache_->release();
  wave_.reset();
}

void WaveStream::take_computed(const float* computed, std::span<float> row) const {
  std::copy_n(computed, row.size(), row.data());
  if (!settings_.rounds) return;
  for (float& value : row) value = to_float(to_bfloat16(value));
}

/// Puts the rows of a layer together, by token type and prompt.
void WaveStream::put_together(const TappedRows& computed, ActivationBatch& batch) {
  const Wave& wave = *wave_;
  const std::size_t prompts = wave.prompt_indices.size();
  const std::size_t hidden = forward_.hidden_size();
  rows_ = {};  // before the new ones are allocated
  rows_ = Matrix<float>(wave.taps.front().size() * prompts, hidden);
  for (std::size_t p = 0; p < prompts; ++p) {
    for (std::size_t t = 0; t < wave.taps[p].size(); ++t) {
      const Tap& tap = wave.taps[p][t];
      const std::span row(rows_.row(t * prompts + p), hidden);
      if (tap.node >= 0) {
        take_computed(computed.rows.row(position_of(wave.wanted_nodes, tap.node)), row);
      } else {
        cache_->read(tap.key, computed.layer, row);
      }
      check_finite(row, model_.prepared.plan.entry.name, computed.layer, wave.prompt_indices[p]);
    }
  }
  read_ahead_.reach_encoders(computed.layer);
  batch = {computed.layer, wave.prompt_indices, std::as_const(rows_).view()};
  if (!settings_.all_tokens) return;
  batch.nodes = rows_of_all_tokens(computed);
  batch.paths = wave.paths;
}

/// [nodes, hidden]: of the tree's nodes, then of those that come from the cache.
MatrixView<const float> WaveStream::rows_of_all_tokens(const TappedRows& computed) {
  const std::vector<PrefixKey>& cached = wave_->cached_keys;
  if (cached.empty() && !settings_.rounds) return computed.rows;
  const std::size_t hidden = forward_.hidden_size();
  const std::size_t nodes = wave_->tree.size();
  all_tokens_ = {};
  all_tokens_ = Matrix<float>(nodes + cached.size(), hidden);
  for (std::size_t i = 0; i < nodes; ++i) take_computed(computed.rows.row(i), {all_tokens_.row(i), hidden});
  for (std::size_t i = 0; i < cached.size(); ++i) {
    cache_->read(cached[i], computed.layer, {all_tokens_.row(nodes + i), hidden});
  }
  return std::as_const(all_tokens_).view();
}

}  // namespace saescope
