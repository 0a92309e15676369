#include "app/source_analysis.h"

#include <fmt/format.h>

#include <algorithm>

#include "sae/activation_function.h"
#include "tensor/buffer.h"

namespace saescope {

void SourceAnalysis::add_universal(std::size_t token_type, UniversalStatistics& statistics) {
  universal_.push_back({token_type, &statistics});
}

void SourceAnalysis::add_specific(std::size_t token_type, SpecificTable& table) {
  specific_.push_back(
      {token_type, &table, FeatureEncoder(dictionary_.encoder(), table.features(), backend_, context_)});
}

void SourceAnalysis::add(const ActivationBatch& batch) {
  const std::size_t prompts = batch.prompt_indices.size();
  try {
    if (!universal_.empty()) add_to_statistics(batch);
    for (Specific& specific : specific_) {
      const auto rows = batch.activations.rows_from(specific.token_type * prompts, prompts);
      const Matrix<float> activations = specific.encoder.encode(rows);
      specific.table->add(batch.prompt_indices, activations.view());
    }
  } catch (const NotFiniteActivation& failure) {
    throw not_finite(batch.prompt_indices[failure.row % prompts], failure.feature);
  }
}

RunError SourceAnalysis::not_finite(std::size_t prompt_idx, std::size_t feature) const {
  return RunError(
      {.what = "an SAE's activation is not a finite number",
       .where = fmt::format("model {}, layer {}, prompt_idx {}, feature_id {} of {}", source_.model,
                            source_.layer, prompt_idx, feature, dictionary_.file().path().string()),
       .expected = "finite numbers",
       .found = "NaN or infinity",
       .hint = "the SAE's file may be damaged: remove it, and the next run downloads it again"});
}

/// All wanted token types in one pass over the dictionary.
void SourceAnalysis::add_to_statistics(const ActivationBatch& batch) {
  const std::size_t prompts = batch.prompt_indices.size();
  Matrix<float> rows(universal_.size() * prompts, batch.activations.cols);
  for (std::size_t u = 0; u < universal_.size(); ++u) {
    const float* first = batch.activations.row(universal_[u].token_type * prompts);
    std::copy_n(first, prompts * rows.cols(), rows.row(u * prompts));
  }
  encoder_.encode(rows.view(), [&](std::size_t first_feature, MatrixView<const float> block) {
    for (std::size_t u = 0; u < universal_.size(); ++u) {
      universal_[u].statistics->add(first_feature, block.rows_from(u * prompts, prompts));
    }
  });
}

}  // namespace saescope
