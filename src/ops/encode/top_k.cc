#include "ops/encode/top_k.h"

#include <algorithm>

namespace saescope {
namespace {

/// Order of a heap whose front is the hit to drop first: the smallest, of equals the highest feature.
bool stronger(const RowHit& a, const RowHit& b) {
  return a.activation != b.activation ? a.activation > b.activation : a.feature < b.feature;
}

std::variant<RowTopK, RowGroupMax> choice_of(const EncoderParameters& parameters, std::size_t rows) {
  const auto k = static_cast<std::size_t>(parameters.k);
  if (parameters.function == ActivationFunction::kTopK) return RowTopK(rows, k);
  return RowGroupMax(rows, k, parameters.dict_size / k);
}

}  // namespace

void RowTopK::add(std::size_t row, RowHit hit) {
  std::vector<RowHit>& heap = heaps_[row];
  if (heap.size() == k_) {
    if (!stronger(hit, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), stronger);
    heap.pop_back();
  }
  heap.push_back(hit);
  std::push_heap(heap.begin(), heap.end(), stronger);
}

std::vector<RowHit> RowTopK::take(std::size_t row) {
  std::vector<RowHit> hits = std::move(heaps_[row]);
  std::sort(hits.begin(), hits.end(), [](const RowHit& a, const RowHit& b) { return a.feature < b.feature; });
  return hits;
}

void RowGroupMax::add(std::size_t row, RowHit hit) {
  RowHit& best = best_[row * groups_ + hit.feature / group_size_];
  if (best.activation == 0 || stronger(hit, best)) best = hit;
}

std::vector<RowHit> RowGroupMax::take(std::size_t row) {
  std::vector<RowHit> hits;
  for (std::size_t g = 0; g < groups_; ++g) {
    const RowHit& best = best_[row * groups_ + g];
    if (best.activation > 0) hits.push_back(best);
  }
  return hits;
}

RowChoice::RowChoice(const EncoderParameters& parameters, std::size_t rows)
    : rows_(rows), choice_(choice_of(parameters, rows)) {}

void RowChoice::add(std::size_t first_feature, const FeatureBlock& block) {
  const auto add_to = [&](auto& choice) {
    for_each_hit(block, [&](std::size_t row, std::size_t column, float activation) {
      choice.add(row, {activation, first_feature + column});
    });
  };
  std::visit(add_to, choice_);
}

void RowChoice::give(IndexRange features, const FeatureSink& sink) {
  std::vector<MatrixEntry> entries;
  for (std::size_t row = 0; row < rows_; ++row) {
    for (const RowHit& hit : std::visit([&](auto& choice) { return choice.take(row); }, choice_)) {
      if (!features.contains(hit.feature)) continue;
      entries.push_back(
          {static_cast<uint32_t>(row), static_cast<uint32_t>(hit.feature - features.begin), hit.activation});
    }
  }
  sink(features.begin, SparseMatrixView{entries, rows_, features.size()});
}

}  // namespace saescope
