#pragma once

#include <cstddef>

#include "base/index_range.h"

namespace saescope {

/// One of `count` nearly equal parts of something, counted from 0.
struct Share {
  static constexpr std::size_t kMost = 1'000'000;  ///< parts that work may be cut into

  std::size_t index = 0;
  std::size_t count = 1;

  /// The part of `size` things that stand in a row; empty where there are fewer than parts.
  IndexRange of(std::size_t size) const { return {size * index / count, size * (index + 1) / count}; }
  bool operator==(const Share&) const = default;
};

}  // namespace saescope
