#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "base/index_range.h"
#include "ops/encode/encoder_parameters.h"
#include "ops/encode/feature_block.h"

namespace saescope {

/// A feature that a row keeps.
struct RowHit {
  float activation;
  std::size_t feature;
};

/// The k largest activations of each row, found while features pass by in any order: memory O(rows · k).
/// Equal activations: the lower feature id wins.
class RowTopK {
 public:
  RowTopK(std::size_t rows, std::size_t k) : k_(k), heaps_(rows) {}
  /// @param hit above 0
  void add(std::size_t row, RowHit hit);
  /// The hits of a row, by ascending feature. Call once all were added.
  std::vector<RowHit> take(std::size_t row);

 private:
  std::size_t k_;
  std::vector<std::vector<RowHit>> heaps_;  ///< per row, the weakest hit first
};

/// The largest activation of each group of neighbouring features of each row: memory O(rows · groups). Equal
/// activations: the lower feature id wins.
class RowGroupMax {
 public:
  /// @param group_size features of a group
  RowGroupMax(std::size_t rows, std::size_t groups, std::size_t group_size)
      : groups_(groups), group_size_(group_size), best_(rows * groups, RowHit{0, 0}) {}
  /// As of RowTopK.
  void add(std::size_t row, RowHit hit);
  std::vector<RowHit> take(std::size_t row);

 private:
  std::size_t groups_;
  std::size_t group_size_;
  std::vector<RowHit> best_;  ///< [rows, groups]
};

/// What the rows of an encoder keep where that depends on all features (needs_whole_row).
class RowChoice {
 public:
  RowChoice(const EncoderParameters& parameters, std::size_t rows);
  /// @param block non-negative activations, blocks in any order
  void add(std::size_t first_feature, const FeatureBlock& block);
  /// Gives what the rows keep of some features, as one block. Call once all blocks were added.
  void give(IndexRange features, const FeatureSink& sink);

 private:
  std::size_t rows_;
  std::variant<RowTopK, RowGroupMax> choice_;
};

}  // namespace saescope
