#pragma once

#include <cstdint>
#include <vector>

#include "ops/backend.h"

namespace saescope {

/// cos and sin of position · inverse frequency for positions 0 … n-1, each [n, head_dim / 2]. They are
/// computed with the same bits on every processor: the C library's functions differ between processors and
/// versions.
class RopeTable {
 public:
  /// Makes sure that the table holds these frequencies up to `max_position`.
  void prepare(const RopeFrequencies& frequencies, int32_t max_position);
  const float* cosine(int32_t position) const { return cosine_.data() + row(position); }
  const float* sine(int32_t position) const { return sine_.data() + row(position); }

 private:
  std::size_t row(int32_t position) const { return static_cast<std::size_t>(position) * inverse_.size(); }
  std::vector<float> inverse_;
  float magnitude_ = 1;
  std::vector<float> cosine_;
  std::vector<float> sine_;
};

}  // namespace saescope
