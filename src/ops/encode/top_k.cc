#include "ops/encode/top_k.h"

#include <algorithm>

namespace saescope {
namespace {

/// Order of a heap whose front is the hit to drop first: the smallest, of equals the highest feature.
bool stronger(const RowHit& a, const RowHit& b) {
  return a.activation != b.activation ? a.activation > b.activation : a.feature < b.feature;
}

}  // namespace

void RowTopK::add(std::size_t first_feature, MatrixView<const float> block) {
  for (std::size_t r = 0; r < block.rows; ++r) {
    std::vector<RowHit>& heap = heaps_[r];
    for (std::size_t c = 0; c < block.cols; ++c) {
      const RowHit hit = {block.row(r)[c], first_feature + c};
      if (!(hit.activation > 0)) continue;
      if (heap.size() == k_) {
        if (!stronger(hit, heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end(), stronger);
        heap.pop_back();
      }
      heap.push_back(hit);
      std::push_heap(heap.begin(), heap.end(), stronger);
    }
  }
}

std::vector<RowHit> RowTopK::take(std::size_t row) {
  std::vector<RowHit> hits = std::move(heaps_[row]);
  std::sort(hits.begin(), hits.end(), [](const RowHit& a, const RowHit& b) { return a.feature < b.feature; });
  return hits;
}

void RowGroupMax::add(std::size_t first_feature, MatrixView<const float> block) {
  for (std::size_t r = 0; r < block.rows; ++r) {
    for (std::size_t c = 0; c < block.cols; ++c) {
      const RowHit hit = {block.row(r)[c], first_feature + c};
      RowHit& best = best_[r * groups_ + hit.feature / group_size_];
      if (hit.activation > 0 && (best.activation == 0 || stronger(hit, best))) best = hit;
    }
  }
}

std::vector<RowHit> RowGroupMax::take(std::size_t row) {
  std::vector<RowHit> hits;
  for (std::size_t g = 0; g < groups_; ++g) {
    const RowHit& best = best_[row * groups_ + g];
    if (best.activation > 0) hits.push_back(best);
  }
  return hits;
}

}  // namespace saescope
