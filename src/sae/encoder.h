#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/context.h"
#include "ops/backend.h"
#include "sae/dictionary.h"
#include "tensor/buffer.h"

namespace saescope {

/// Receives the activations of features [first_feature, first_feature + block.cols) for all rows, blocks
/// in ascending order. @param block [rows, features]; valid during the call
using FeatureSink = std::function<void(std::size_t first_feature, MatrixView<const float> block)>;

/// Encodes residual-stream activations with one SAE in float32, a block of features at a time, so that
/// the rows × features matrix never exists.
class Encoder {
 public:
  /// @param parameters must outlive the encoder, with the file its weight lies in
  Encoder(const EncoderParameters& parameters, Backend& backend, const Context& context);

  /// All features. @param x [rows, d]
  void encode(MatrixView<const float> x, const FeatureSink& sink);

  /// Only these features: [rows, features], the same bits as `encode` gives.
  /// @param features ids below dict_size
  Matrix<float> encode_features(MatrixView<const float> x, std::span<const int64_t> features);

  /// Bytes held while `rows` rows are encoded.
  static std::size_t bytes_for(const EncoderParameters& parameters, std::size_t rows);

 private:
  Array subtract_input_bias(MatrixView<const float> x);
  void for_each_dense_block(const Array& x, const FeatureSink& sink);
  void encode_top_k(const Array& x, const FeatureSink& sink);

  const EncoderParameters& parameters_;
  Backend& backend_;
  const Context& context_;
};

}  // namespace saescope
