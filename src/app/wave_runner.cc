#include "app/wave_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

void check_finite(const float* values, std::size_t count, const std::string& model, std::size_t layer,
                  std::size_t prompt) {
  if (std::all_of(values, values + count, [](float v) { return std::isfinite(v); })) return;
  throw RunError({.what = "an activation is not a finite number",
                  .where = fmt::format("model {}, layer {}, prompt_idx {}", model, layer, prompt),
                  .expected = "finite numbers",
                  .found = "NaN or infinity",
                  .hint = "the checkpoint's weights may be damaged; with --dtype bf16 try --dtype fp32"});
}

}  // namespace

WaveRunner::WaveRunner(const Model& model, Backend& backend, const Context& context, DType compute,
                       const WaveLimits& limits, std::vector<std::size_t> layers, std::string model_name)
    : forward_(model, backend, context, compute, limits.chunk_rows),
      limits_(limits),
      layers_(std::move(layers)),
      model_name_(std::move(model_name)) {}

/// The longest run of prompts whose tree stays within the limit, but at least one.
/// @param tap_nodes receives, for each prompt of the wave, the node of each token type
std::span<const PromptTokens> WaveRunner::take_wave(std::span<const PromptTokens> prompts, PrefixTree& tree,
                                                    std::vector<std::vector<int32_t>>& tap_nodes) const {
  std::size_t count = 0;
  std::vector<int32_t> node_of_position;
  for (const PromptTokens& prompt : prompts) {
    if (count > 0 && tree.size() + tree.count_new_nodes(prompt.ids) > limits_.nodes) break;
    tree.add(prompt.ids, &node_of_position);
    std::vector<int32_t>& nodes = tap_nodes.emplace_back();
    for (const int32_t tap : prompt.taps) nodes.push_back(node_of_position[static_cast<std::size_t>(tap)]);
    ++count;
  }
  return prompts.first(count);
}

void WaveRunner::run(std::span<const PromptTokens> prompts, const BatchSink& sink) {
  while (!prompts.empty()) {
    PrefixTree tree;
    std::vector<std::vector<int32_t>> tap_nodes;
    const auto wave = take_wave(prompts, tree, tap_nodes);
    run_wave(wave, tree, tap_nodes, sink);
    prompts = prompts.subspan(wave.size());
  }
}

void WaveRunner::run_wave(std::span<const PromptTokens> wave, const PrefixTree& tree,
                          const std::vector<std::vector<int32_t>>& tap_nodes, const BatchSink& sink) {
  std::vector<int32_t> distinct;
  for (const auto& nodes : tap_nodes) distinct.insert(distinct.end(), nodes.begin(), nodes.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<std::size_t> prompt_indices;
  for (const PromptTokens& prompt : wave) prompt_indices.push_back(prompt.prompt_idx);

  const std::size_t types = tap_nodes.front().size();
  computed_nodes_ += tree.size();
  ++waves_;
  forward_.run(tree, {layers_, distinct}, [&](std::size_t layer, MatrixView<const float> rows) {
    Matrix<float> batch(types * wave.size(), rows.cols);
    for (std::size_t p = 0; p < wave.size(); ++p) {
      for (std::size_t t = 0; t < types; ++t) {
        const auto found = std::lower_bound(distinct.begin(), distinct.end(), tap_nodes[p][t]);
        const float* row = rows.row(static_cast<std::size_t>(found - distinct.begin()));
        check_finite(row, rows.cols, model_name_, layer, prompt_indices[p]);
        std::copy_n(row, rows.cols, batch.row(t * wave.size() + p));
      }
    }
    sink({layer, prompt_indices, batch.view()});
  });
}

}  // namespace saescope
