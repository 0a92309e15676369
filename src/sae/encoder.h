#pragma once

#include <functional>

#include "base/context.h"
#include "ops/backend.h"
#include "sae/dictionary.h"

namespace saescope {

/// Receives the activations of features [first_feature, first_feature + block.cols) for all rows. Called from
/// several threads at once, for different blocks, in no order. @param block [rows, features]; valid during
/// the call
using FeatureSink = std::function<void(std::size_t first_feature, MatrixView<const float> block)>;

/// Encodes residual-stream activations with one SAE in float32, a block of features at a time, so that
/// the rows × features matrix never exists.
class Encoder {
 public:
  /// @param parameters must outlive the encoder, with the file its weight lies in
  Encoder(const EncoderParameters& parameters, Backend& backend, const Context& context);

  /// All features. What `sink` throws is thrown here. @param x [rows, d]
  void encode(MatrixView<const float> x, const FeatureSink& sink);

  /// Bytes held while `rows` rows are encoded.
  static std::size_t bytes_for(const EncoderParameters& parameters, std::size_t rows, int threads);

 private:
  void encode_top_k(const Array& x, const FeatureSink& sink);

  const EncoderParameters& parameters_;
  Backend& backend_;
  const Context& context_;
};

/// x − input_bias in the backend's memory: what every class multiplies with its weight. @param x [rows, d]
Array subtract_input_bias(const EncoderParameters& parameters, MatrixView<const float> x, Backend& backend);

}  // namespace saescope
