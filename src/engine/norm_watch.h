#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/activation_stream.h"

namespace saescope {

/// Counts residuals whose norm is far from their fellows'. Some models keep attention sinks: tokens whose
/// residual is a hundred times as long as any other's. SAEs are usually trained without such tokens, so that
/// what they find there means little.
class NormWatch {
 public:
  /// The norms of a batch's rows, which are kept: four bytes each.
  void add(const ActivationBatch& batch);

  /// A sentence for each layer at which rows are longer than kFar times the layer's median. @param model its
  /// name
  std::vector<std::string> notes(const std::string& model);

  /// [rows] by layer, so that they can be kept on disk and put back.
  std::map<std::size_t, std::vector<float>>& norms() { return norms_; }

  static constexpr float kFar = 10;

 private:
  std::map<std::size_t, std::vector<float>> norms_;  ///< by layer
};

}  // namespace saescope
