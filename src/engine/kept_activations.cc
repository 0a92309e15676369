#include "engine/kept_activations.h"

#include <utility>

namespace saescope {

KeptActivations::KeptActivations(std::string model, int64_t layer, std::string token, std::size_t hidden,
                                 const std::filesystem::path& folder)
    : model_(std::move(model)), layer_(layer), token_(std::move(token)), hidden_(hidden), spool_(folder) {}

void KeptActivations::add(std::span<const std::size_t> prompt_indices, MatrixView<const float> rows) {
  prompts_.insert(prompts_.end(), prompt_indices.begin(), prompt_indices.end());
  for (std::size_t r = 0; r < rows.rows; ++r) spool_.append({rows.row(r), hidden_});
}

}  // namespace saescope
