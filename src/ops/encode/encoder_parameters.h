#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor_view.h"

namespace saescope {

/// What happens to a pre-activation z. The kinds of SAEs differ in this, in which biases they have, and in
/// what is done to x. Named are classes of the Python package dictionary_learning.
enum class ActivationFunction {
  kRelu,       ///< AutoEncoder, AutoEncoderNew: max(z, 0)
  kThreshold,  ///< BatchTopKSAE, MatryoshkaBatchTopKSAE: max(z, 0) where that is > threshold, else 0
  kJumpRelu,   ///< JumpReluAutoEncoder: max(z, 0) where z > feature_threshold, else 0
  kGated,      ///< GatedAutoEncoder: max(e^r_mag · y + mag_bias, 0) where y + gate_bias > 0, else 0
  kTopK,       ///< AutoEncoderTopK: max(z, 0) of a row's k largest, else 0
  kGroupMax,   ///< sparsify's groupmax: max(z, 0) of the largest of each of k groups of neighbours, else 0
};

/// Whether a feature's activation depends on other features of its row.
constexpr bool needs_whole_row(ActivationFunction function) {
  return function == ActivationFunction::kTopK || function == ActivationFunction::kGroupMax;
}

/// What is done to an activation before anything else (SAELens' `normalize_activations`).
enum class InputNorm {
  kNone,
  kConstantNorm,  ///< x · √d / ‖x‖
  kLayerNorm,     ///< (x − mean) / (std + 1e-5), std over d − 1
};

/// An SAE's encoder as data: for an activation x, y = W · (norm(x) − input_bias) and z = scale · y + bias.
/// `F` features, activations of size `d`. Empty vectors are absent terms.
struct EncoderParameters {
  std::string class_name;
  std::size_t activation_dim = 0;  ///< d
  std::size_t dict_size = 0;       ///< F
  TensorView weight;               ///< [F, d], its rows or its columns dense
  InputNorm input_norm = InputNorm::kNone;
  std::vector<float> input_bias;  ///< [d]
  std::vector<float> scale;       ///< [F]
  std::vector<float> bias;        ///< [F]
  ActivationFunction function = ActivationFunction::kRelu;
  float threshold = 0;                   ///< kThreshold
  std::vector<float> feature_threshold;  ///< [F], kJumpRelu
  std::vector<float> gate_bias;          ///< [F], kGated
  int64_t k = 0;                         ///< kTopK; kGroupMax: divides F
};

}  // namespace saescope
