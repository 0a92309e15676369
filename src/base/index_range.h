#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace saescope {

/// The indices from `begin` up to, without, `end`.
struct IndexRange {
  std::size_t begin = 0;
  std::size_t end = SIZE_MAX;

  std::size_t size() const { return end - begin; }
  bool contains(std::size_t index) const { return begin <= index && index < end; }
  /// What lies in both; empty where nothing does.
  IndexRange intersect(IndexRange other) const {
    const std::size_t first = std::max(begin, other.begin);
    return {first, std::max(first, std::min(end, other.end))};
  }
  bool operator==(const IndexRange&) const = default;
};

}  // namespace saescope
