#include "engine/chosen_activations.h"

#include <algorithm>
#include <utility>

namespace saescope {

ChosenActivations::ChosenActivations(Source source, std::string token, std::vector<int64_t> features,
                                     const ResultSettings& settings)
    : source_(std::move(source)),
      token_(std::move(token)),
      features_(std::move(features)),
      active_above_(settings.activation_threshold),
      spool_(settings.spool_folder) {
  if (settings.all_tokens) token_spool_.emplace(settings.spool_folder);
}

void ChosenActivations::add(std::span<const std::size_t> prompt_indices,
                            MatrixView<const float> activations) {
  prompts_.insert(prompts_.end(), prompt_indices.begin(), prompt_indices.end());
  for (std::size_t r = 0; r < activations.rows; ++r) spool_.append({activations.row(r), activations.cols});
}

void ChosenActivations::clear() {
  prompts_.clear();
  spool_.clear();
  if (token_spool_) token_spool_->clear();
}

void sort_by_source(std::deque<ChosenActivations>& chosen) {
  const auto key = [](const ChosenActivations& one) { return std::pair(one.source().name(), one.token()); };
  std::sort(chosen.begin(), chosen.end(),
            [&](const ChosenActivations& a, const ChosenActivations& b) { return key(a) < key(b); });
}

}  // namespace saescope
