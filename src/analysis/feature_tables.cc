#include "analysis/feature_tables.h"

#include <cassert>

namespace saescope {
namespace {

std::size_t groups_of(const Labels& labels) {
  return labels.size() <= StatisticsSettings::kMostGroups ? labels.size() : 1;
}

}  // namespace

uint64_t StatisticsSettings::bytes_for(std::size_t features) const {
  uint64_t bytes = FeatureStatistics::bytes_for(features);
  if (labels != nullptr) bytes += LabelStatistics::bytes_for(features, labels->size());
  if (details) bytes += FeatureDetails::bytes_for(features, groups_of(*labels));
  return bytes;
}

FeatureTable::FeatureTable(Source source, std::string token, IndexRange features,
                           const StatisticsSettings& settings)
    : source_(std::move(source)),
      token_(std::move(token)),
      all_features_(true),
      statistics_(features.size(), settings.activation_threshold, features.begin) {
  keep_more(settings);
}

FeatureTable::FeatureTable(Source source, std::string token, std::vector<int64_t> chosen,
                           const StatisticsSettings& settings)
    : source_(std::move(source)),
      token_(std::move(token)),
      all_features_(false),
      chosen_(std::move(chosen)),
      statistics_(chosen_.size(), settings.activation_threshold) {
  keep_more(settings);
}

void FeatureTable::keep_more(const StatisticsSettings& settings) {
  if (settings.labels == nullptr) return;
  labels_of_prompts_ = settings.labels;
  const std::span label_of_prompt = settings.labels->of_prompts();
  const std::size_t features = statistics_.features();
  labels_.emplace(features, settings.labels->size(), label_of_prompt, settings.activation_threshold);
  if (!settings.details) return;
  details_.emplace(features, groups_of(*settings.labels), label_of_prompt, settings.activation_threshold);
}

template <typename Block>
void FeatureTable::add_to_all(std::size_t first, std::span<const std::size_t> prompt_indices,
                              const Block& block) {
  statistics_.add(first, block);
  if (labels_) labels_->add(first, prompt_indices, block);
  if (details_) details_->add(first, prompt_indices, block);
}

void FeatureTable::add(std::size_t first, std::span<const std::size_t> prompt_indices,
                       MatrixView<const float> block) {
  add_to_all(first, prompt_indices, block);
}

void FeatureTable::add(std::size_t first, std::span<const std::size_t> prompt_indices,
                       const SparseMatrixView& block) {
  if (!statistics_.counts_zeros()) return add_to_all(first, prompt_indices, block);
  const Matrix<float> with_zeros = to_dense(block);
  add_to_all(first, prompt_indices, with_zeros.view());
}

void FeatureTable::append(FeatureTable&& next) {
  assert(!all_features_ ||
         next.statistics_.first_feature() == statistics_.first_feature() + statistics_.features());
  chosen_.insert(chosen_.end(), next.chosen_.begin(), next.chosen_.end());
  statistics_.append(next.statistics_);
  if (labels_) labels_->append(*next.labels_);
  if (details_) details_->append(*std::move(next.details_));
}

FeatureTable& FeatureTables::add(FeatureTable table) {
  const auto key = std::pair(table.source().name(), table.token());
  return tables_.emplace(key, std::move(table)).first->second;
}

void FeatureTables::append(FeatureTables&& next) {
  for (auto& [key, table] : tables_) table.append(std::move(next.tables_.at(key)));
}

}  // namespace saescope
