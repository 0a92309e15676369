#include "ops/encode/top_k.h"

#include <algorithm>

namespace saescope {
namespace {

/// Order of a heap whose front is the hit to drop first: the smallest, of equals the highest feature.
bool stronger(const RowTopK::Hit& a, const RowTopK::Hit& b) {
  return a.activation != b.activation ? a.activation > b.activation : a.feature < b.feature;
}

}  // namespace

void RowTopK::add(std::size_t first_feature, MatrixView<const float> block) {
  for (std::size_t r = 0; r < block.rows; ++r) {
    std::vector<Hit>& heap = heaps_[r];
    for (std::size_t c = 0; c < block.cols; ++c) {
      const Hit hit = {block.row(r)[c], first_feature + c};
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

std::vector<RowTopK::Hit> RowTopK::take(std::size_t row) {
  std::vector<Hit> hits = std::move(heaps_[row]);
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.feature < b.feature; });
  return hits;
}

}  // namespace saescope
