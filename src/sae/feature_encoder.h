#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/context.h"
#include "ops/backend.h"
#include "tensor/buffer.h"

namespace saescope {

/// Encodes with some features of one SAE only: of its weight their rows alone are read, once.
class FeatureEncoder {
 public:
  /// @param parameters must outlive this, with the file its weight lies in @param features ids below
  /// dict_size
  FeatureEncoder(const EncoderParameters& parameters, std::span<const int64_t> features, Backend& backend,
                 const Context& context);

  /// [rows, features], the same bits as Backend::encode gives. @param x [rows, d]
  Matrix<float> encode(MatrixView<const float> x);

  std::size_t feature_count() const { return features_.size(); }

 private:
  void load_block(std::size_t first, std::size_t count);
  void encode_block(const Array& x, std::size_t first, MatrixView<float> result);
  Matrix<float> pick_from_all(MatrixView<const float> x);

  const EncoderParameters& parameters_;
  std::optional<BoundEncoder> all_;  ///< where an activation depends on all features, once it is needed
  std::vector<int64_t> features_;
  Backend& backend_;
  const Context& context_;
  Buffer<float> rows_;                   ///< [block of features, d]
  std::size_t first_loaded_ = SIZE_MAX;  ///< feature whose block `rows_` holds
};

}  // namespace saescope
