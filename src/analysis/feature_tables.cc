#include "analysis/feature_tables.h"

namespace saescope {
namespace {

std::size_t groups_of(const Labels& labels) {
  return labels.size() <= Gathering::kMostGroups ? labels.size() : 1;
}

}  // namespace

uint64_t Gathering::bytes_for(std::size_t features) const {
  uint64_t bytes = UniversalStatistics::bytes_for(features);
  if (labels != nullptr) bytes += LabelStatistics::bytes_for(features, labels->size());
  if (details) bytes += FeatureDetails::bytes_for(features, groups_of(*labels));
  return bytes;
}

FeatureTable::FeatureTable(Source source, std::string token, std::size_t features,
                           std::vector<int64_t> chosen, const Gathering& gathering)
    : source_(std::move(source)),
      token_(std::move(token)),
      chosen_(std::move(chosen)),
      statistics_(features, gathering.activation_threshold) {
  if (gathering.labels == nullptr) return;
  const std::span label_of_prompt = gathering.labels->of_prompts();
  labels_.emplace(features, gathering.labels->size(), label_of_prompt, gathering.activation_threshold);
  if (gathering.details) {
    details_.emplace(features, groups_of(*gathering.labels), label_of_prompt, gathering.activation_threshold);
  }
}

void FeatureTable::add(std::size_t first_feature, std::span<const std::size_t> prompt_indices,
                       MatrixView<const float> block) {
  statistics_.add(first_feature, block);
  if (labels_) labels_->add(first_feature, prompt_indices, block);
  if (details_) details_->add(first_feature, prompt_indices, block);
}

FeatureTable& FeatureTables::at(const Source& source, const std::string& token, std::size_t features,
                                std::vector<int64_t> chosen) {
  const auto key = std::pair(source.name(), token);
  const auto found = tables_.find(key);
  if (found != tables_.end()) return found->second;
  return tables_.emplace(key, FeatureTable(source, token, features, std::move(chosen), gathering_))
      .first->second;
}

}  // namespace saescope
