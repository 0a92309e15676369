#include "engine/token_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "ops/encode/activation_function.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

/// Activations that are held at once: 32 MiB.
constexpr std::size_t kMostValues = std::size_t{8} << 20;

bool any_active(const ChosenActivations& table, const float* row) {
  return std::any_of(row, row + table.features().size(), [&](float value) { return table.is_active(value); });
}

/// A range of the batch's prompts, with the nodes of those on which some feature is active.
struct PromptGroup {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<int32_t> nodes;  ///< ascending, distinct
};

/// The longest group from `begin` whose activations may be held at once, but at least one prompt.
PromptGroup take_group(const ActivationBatch& batch, MatrixView<const float> activations,
                       const ChosenActivations& table, std::size_t begin) {
  PromptGroup group = {begin, begin, {}};
  for (; group.end < batch.paths.size(); ++group.end) {
    if (!any_active(table, activations.row(group.end))) continue;
    const std::vector<int32_t>& path = batch.paths[group.end];
    const bool fits = (group.nodes.size() + path.size()) * table.features().size() <= kMostValues;
    if (!fits && !group.nodes.empty()) break;
    group.nodes.insert(group.nodes.end(), path.begin(), path.end());
  }
  std::sort(group.nodes.begin(), group.nodes.end());
  group.nodes.erase(std::unique(group.nodes.begin(), group.nodes.end()), group.nodes.end());
  return group;
}

Matrix<float> encode_nodes(FeatureEncoder& encoder, const ActivationBatch& batch,
                           const std::vector<int32_t>& nodes) {
  Matrix<float> residual(nodes.size(), batch.nodes.cols);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::copy_n(batch.nodes.row(static_cast<std::size_t>(nodes[i])), residual.cols(), residual.row(i));
  }
  try {
    return encoder.encode(residual.view());
  } catch (const NotFiniteActivation& failure) {
    throw RunError(
        {.what = "an SAE's activation at a token is not a finite number",
         .where = fmt::format("layer {}, prompt_idx {} to {}, feature_id {}", batch.layer,
                              batch.prompt_indices.front(), batch.prompt_indices.back(), failure.feature),
         .expected = "finite numbers",
         .found = "NaN or infinity"});
  }
}

}  // namespace

void record_tokens(FeatureEncoder& encoder, const ActivationBatch& batch, MatrixView<const float> activations,
                   ChosenActivations& table) {
  std::vector<float> of_prompt;
  for (std::size_t begin = 0; begin < batch.paths.size();) {
    const PromptGroup group = take_group(batch, activations, table, begin);
    const Matrix<float> at_nodes = encode_nodes(encoder, batch, group.nodes);
    const auto row_of = [&](int32_t node) {
      const auto found = std::lower_bound(group.nodes.begin(), group.nodes.end(), node);
      return at_nodes.row(static_cast<std::size_t>(found - group.nodes.begin()));
    };
    for (std::size_t p = group.begin; p < group.end; ++p) {
      for (std::size_t f = 0; f < activations.cols; ++f) {
        if (!table.is_active(activations.row(p)[f])) continue;
        of_prompt.clear();
        for (const int32_t node : batch.paths[p]) of_prompt.push_back(row_of(node)[f]);
        table.add_tokens(of_prompt);
      }
    }
    begin = group.end;
  }
}

}  // namespace saescope
