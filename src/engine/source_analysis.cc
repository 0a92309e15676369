#include "engine/source_analysis.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/token_recorder.h"
#include "ops/encode/activation_function.h"
#include "tensor/buffer.h"

namespace saescope {

SourceAnalysis::SourceAnalysis(const OpenedSource& source, Backend& backend, const Context& context)
    : source_(source), backend_(backend), context_(context) {}

void SourceAnalysis::add_all_features(std::size_t token_type, IndexRange features, FeatureTable& table) {
  if (!encoder_) encoder_.emplace(backend_.bind_encoder(source_.sae.encoder, features));
  all_.push_back({token_type, &table});
}

void SourceAnalysis::add_chosen_features(std::size_t token_type, ChosenActivations& table,
                                         FeatureTable* statistics) {
  chosen_.push_back({token_type, &table, statistics,
                     FeatureEncoder(source_.sae.encoder, table.features(), backend_, context_)});
}

void SourceAnalysis::add(const ActivationBatch& batch) {
  try {
    if (!all_.empty()) encode_all_features(batch);
    for (ChosenFeatures& chosen : chosen_) encode_chosen_features(chosen, batch);
  } catch (const NotFiniteActivation& failure) {
    throw not_finite(batch.prompt_indices[failure.row % batch.prompt_indices.size()], failure.feature);
  }
}

void SourceAnalysis::encode_chosen_features(ChosenFeatures& chosen, const ActivationBatch& batch) {
  const std::size_t prompts = batch.prompt_indices.size();
  const auto rows = batch.activations.rows_from(chosen.token_type * prompts, prompts);
  const Matrix<float> activations = chosen.encoder.encode(rows);
  chosen.table->add(batch.prompt_indices, activations.view());
  if (chosen.statistics != nullptr) chosen.statistics->add(0, batch.prompt_indices, activations.view());
  if (chosen.table->all_tokens()) {
    record_tokens(chosen.encoder, batch, activations.view(), *chosen.table);
  }
}

RunError SourceAnalysis::not_finite(std::size_t prompt_idx, std::size_t feature) const {
  const Source& source = source_.plan->source;
  return RunError(
      {.what = "an SAE's activation is not a finite number",
       .where = fmt::format("model {}, layer {}, prompt_idx {}, feature_id {} of {}", source.model,
                            source.layer, prompt_idx, feature, source_.sae.files.front()->path().string()),
       .expected = "finite numbers",
       .found = "NaN or infinity",
       .hint = "the SAE's file may be damaged: remove it, and the next run downloads it again"});
}

/// All wanted token types in one pass over the dictionary.
void SourceAnalysis::encode_all_features(const ActivationBatch& batch) {
  const std::size_t prompts = batch.prompt_indices.size();
  Matrix<float> rows(all_.size() * prompts, batch.activations.cols);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const float* first = batch.activations.row(all_[i].token_type * prompts);
    std::copy_n(first, prompts * rows.cols(), rows.row(i * prompts));
  }
  const auto add_block = [&](std::size_t first, const auto& block) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      all_[i].table->add(first - encoder_->features.begin, batch.prompt_indices,
                         block.rows_from(i * prompts, prompts));
    }
  };
  backend_.encode(rows.view(), *encoder_, [&](std::size_t first, const FeatureBlock& block) {
    std::visit([&](const auto& activations) { add_block(first, activations); }, block);
  });
}

}  // namespace saescope
