#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor_view.h"

namespace saescope {

/// What happens to a pre-activation z. The classes of the Python package dictionary_learning differ in
/// this and in which biases they have.
enum class ActivationFunction {
  kRelu,       ///< AutoEncoder, AutoEncoderNew: max(z, 0)
  kThreshold,  ///< BatchTopKSAE, MatryoshkaBatchTopKSAE: max(z, 0) where that is > threshold, else 0
  kJumpRelu,   ///< JumpReluAutoEncoder: max(z, 0) where z > feature_threshold, else 0
  kGated,      ///< GatedAutoEncoder: max(e^r_mag · y + mag_bias, 0) where y + gate_bias > 0, else 0
  kTopK,       ///< AutoEncoderTopK: max(z, 0) of a row's k largest, else 0
};

/// An SAE's encoder as data: for an activation x, y = W · (x − input_bias) and z = scale · y + bias.
/// `F` features, activations of size `d`. Empty vectors are absent terms.
struct EncoderParameters {
  std::string class_name;
  std::size_t activation_dim = 0;  ///< d
  std::size_t dict_size = 0;       ///< F
  TensorView weight;               ///< [F, d], its rows or its columns dense
  std::vector<float> input_bias;   ///< [d]
  std::vector<float> scale;        ///< [F]
  std::vector<float> bias;         ///< [F]
  ActivationFunction function = ActivationFunction::kRelu;
  float threshold = 0;                   ///< kThreshold
  std::vector<float> feature_threshold;  ///< [F], kJumpRelu
  std::vector<float> gate_bias;          ///< [F], kGated
  int64_t k = 0;                         ///< kTopK
};

}  // namespace saescope
