#include "app/source_analysis.h"

#include <algorithm>

#include "tensor/buffer.h"

namespace saescope {

void SourceAnalysis::add_universal(std::size_t token_type, UniversalStatistics& statistics) {
  universal_.push_back({token_type, &statistics});
}

void SourceAnalysis::add_specific(std::size_t token_type, SpecificTable& table) {
  specific_.push_back({token_type, &table});
}

void SourceAnalysis::add(const ActivationBatch& batch) {
  if (!universal_.empty()) add_to_statistics(batch);
  const std::size_t prompts = batch.prompt_indices.size();
  for (const auto& [token_type, table] : specific_) {
    const auto rows = batch.activations.rows_from(token_type * prompts, prompts);
    const Matrix<float> activations = encoder_.encode_features(rows, table->features());
    table->add(batch.prompt_indices, activations.view());
  }
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
    // A thread takes a range of features, so that sums over prompts stay in prompt order.
    constexpr std::size_t kRange = 128;
    const std::size_t ranges = (block.cols + kRange - 1) / kRange;
#pragma omp parallel for num_threads(threads_) collapse(2) schedule(static)
    for (std::size_t u = 0; u < universal_.size(); ++u) {
      for (std::size_t i = 0; i < ranges; ++i) {
        const std::size_t first = i * kRange;
        const MatrixView<const float> part = {block.row(u * prompts) + first, prompts,
                                              std::min(kRange, block.cols - first), block.stride};
        universal_[u].result->add(first_feature + first, part);
      }
    }
  });
}

}  // namespace saescope
