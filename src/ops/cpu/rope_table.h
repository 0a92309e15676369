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
  /// Whether the table is one of these frequencies, for any number of positions.
  bool holds(const RopeFrequencies& frequencies) const {
    return inverse_ == frequencies.inverse && magnitude_ == frequencies.magnitude;
  }
  const float* cosine(int32_t position) const { return cosine_.data() + row(position); }
  const float* sine(int32_t position) const { return sine_.data() + row(position); }

 private:
  std::size_t row(int32_t position) const { return static_cast<std::size_t>(position) * inverse_.size(); }
  std::vector<float> inverse_;
  float magnitude_ = 1;
  std::vector<float> cosine_;
  std::vector<float> sine_;
};

/// The tables of a model whose layers take turns with different frequencies.
class RopeTables {
 public:
  /// The table of these frequencies up to `max_position`; valid until the next call.
  const RopeTable& find(const RopeFrequencies& frequencies, int32_t max_position);

 private:
  std::vector<RopeTable> tables_;
};

}  // namespace saescope
