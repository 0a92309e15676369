#pragma once

#include <deque>
#include <string>
#include <vector>

#include "analysis/feature_tables.h"
#include "formats/safetensors.h"

namespace saescope {

/// The accumulators of tables as tensors of a file, each under `{source}/{token}/{accumulator}`. Numbers of
/// 64 bits are I64, those of 32 bits I32 or F32: bits are kept, whatever they stand for. What is kept of
/// single features (report) is there for those that were active at least once.
class TableTensors {
 public:
  /// Adds a table's. It must outlive the use of tensors(), and stay as it is.
  void add(FeatureTable& table);
  const std::vector<TensorToWrite>& tensors() const { return tensors_; }

  /// Puts back into an empty table what a file holds of it.
  /// @param where the file's name @throws InputError where something is missing or has another shape
  static void load(FeatureTable& table, const NamedTensors& tensors, const std::string& where);

 private:
  std::vector<TensorToWrite> tensors_;
  std::deque<FeatureDetails::Arrays> arrays_;
};

}  // namespace saescope
