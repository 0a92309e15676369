#include "engine/wave_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "tensor/finite.h"

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

std::vector<std::size_t> layers_of(const ModelPlan& plan) {
  std::vector<std::size_t> layers;
  for (const LayerPlan& layer : plan.layers) layers.push_back(static_cast<std::size_t>(layer.layer));
  return layers;
}

}  // namespace

void WaveStream::Wave::collect_nodes(bool with_keys, bool all_tokens) {
  for (const auto& of_prompt : taps) {
    for (const Tap& tap : of_prompt) {
      if (tap.node >= 0) tapped_nodes.push_back(tap.node);
    }
  }
  std::sort(tapped_nodes.begin(), tapped_nodes.end());
  tapped_nodes.erase(std::unique(tapped_nodes.begin(), tapped_nodes.end()), tapped_nodes.end());
  if (with_keys) tapped_keys.resize(tapped_nodes.size());
  for (const auto& of_prompt : taps) {
    for (const Tap& tap : of_prompt) {
      if (with_keys && tap.node >= 0) tapped_keys[position_of(tapped_nodes, tap.node)] = tap.key;
    }
  }
  wanted_nodes = tapped_nodes;
  if (!all_tokens) return;
  wanted_nodes.resize(tree.size());
  std::iota(wanted_nodes.begin(), wanted_nodes.end(), 0);
}

WaveStream::WaveStream(const OpenedModel& model, const StreamSettings& settings, ActivationCache* cache,
                       Backend& backend, const Context& context)
    : model_(model),
      settings_(settings),
      cache_(cache),
      context_(context),
      layers_(layers_of(model.prepared.plan)),
      forward_(model.checkpoint.model, backend, context, settings.compute, settings.limits.chunk_rows),
      read_ahead_(model),
      prompts_(model.prepared.prompts) {}

bool WaveStream::next(ActivationBatch& batch) {
  if (wave_ && wave_->next_layer == layers_.size()) finish_wave();
  if (!wave_) {
    if (prompts_.done()) return false;
    begin_wave();
  }
  const auto computed = next_rows();
  put_together(computed ? *computed : TappedRows{layers_[wave_->next_layer]}, batch);
  if (computed) keep_for_cache(*computed);
  ++wave_->next_layer;
  return true;
}

/// Takes the longest run of prompts whose tree stays within the limit, but at least one.
void WaveStream::begin_wave() {
  context_.cancel->check();
  wave_ = std::make_unique<Wave>();
  std::size_t cached_rows = 0;
  while (!prompts_.done() && take_prompt(prompts_.current(), cached_rows)) prompts_.advance();
  wave_->collect_nodes(cache_ != nullptr, settings_.all_tokens);
  ++counts_.waves;
  counts_.computed_nodes += wave_->tree.size();
  const bool computes = wave_->tree.size() > 0;
  read_ahead_.begin_wave(computes);
  if (computes) forward_.begin(wave_->tree, {layers_, wave_->wanted_nodes});
}

/// @param cached_rows rows of the batch that come from the cache, which count as nodes
/// @return false, and nothing is taken, where the prompt does not fit into the wave
bool WaveStream::take_prompt(const PromptTokens& prompt, std::size_t& cached_rows) {
  Wave& wave = *wave_;
  std::vector<Tap> taps(prompt.taps.size());
  bool cached = cache_ != nullptr && !settings_.all_tokens;
  for (std::size_t t = 0; t < taps.size() && cache_ != nullptr; ++t) {
    taps[t].key = prefix_key(std::span(prompt.ids).first(static_cast<std::size_t>(prompt.taps[t]) + 1));
    cached = cached && cache_->contains(taps[t].key, layers_);
  }
  const std::size_t more = cached ? taps.size() : wave.tree.count_new_nodes(prompt.ids);
  if (!wave.taps.empty() && wave.tree.size() + cached_rows + more > settings_.limits.nodes) return false;
  if (cached) {
    cached_rows += taps.size();
    ++counts_.cached_prompts;
  } else {
    std::vector<int32_t> node_of_position;
    wave.tree.add(prompt.ids, &node_of_position);
    for (std::size_t t = 0; t < taps.size(); ++t) {
      taps[t].node = node_of_position[static_cast<std::size_t>(prompt.taps[t])];
    }
    if (settings_.all_tokens) wave.paths.push_back(std::move(node_of_position));
  }
  wave.taps.push_back(std::move(taps));
  wave.prompt_indices.push_back(prompt.prompt_idx);
  return true;
}

std::optional<TappedRows> WaveStream::next_rows() {
  if (wave_->tree.size() == 0) return std::nullopt;
  return forward_.next([&](std::size_t layer) { read_ahead_.reach_layer(layer); });
}

void WaveStream::keep_for_cache(const TappedRows& computed) {
  if (cache_ == nullptr) return;
  const std::vector<int32_t>& nodes = wave_->tapped_nodes;
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
    cache_->store(wave_->tapped_keys, layers_, views);
  }
  wave_.reset();
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
      const float* row = tap.node >= 0 ? computed.rows.row(position_of(wave.wanted_nodes, tap.node))
                                       : cache_->find(tap.key, computed.layer);
      check_finite({row, hidden}, model_.prepared.plan.entry.name, computed.layer, wave.prompt_indices[p]);
      std::copy_n(row, hidden, rows_.row(t * prompts + p));
    }
  }
  read_ahead_.reach_encoders(computed.layer);
  batch = {computed.layer, wave.prompt_indices, std::as_const(rows_).view()};
  if (!settings_.all_tokens) return;
  batch.nodes = computed.rows;
  batch.paths = wave.paths;
}

}  // namespace saescope
