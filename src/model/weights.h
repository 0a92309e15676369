#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "model/architectures/architecture.h"
#include "model/model_config.h"

namespace saescope {

/// The weights of one transformer block. Matrices are views into mapped files, [out, in]; vectors are
/// small and were converted to float32. What the model does not have is empty.
class LayerWeights {
 public:
  const Weight& matrix(BlockWeight which) const { return matrices_[index(which)]; }
  std::span<const float> bias(BlockWeight which) const { return biases_[index(which)]; }
  /// A norm's factors. @return [hidden], [head_dim] of queries' and keys'; empty where there is no such norm
  std::span<const float> norm(BlockWeight which) const { return norms_[index(which)]; }
  LinearWeight linear(BlockWeight which) const { return {matrix(which), bias(which)}; }

  /// Numbers of all matrices: a token is multiplied with each of them once.
  uint64_t elements() const;

  void set_matrix(BlockWeight which, Weight weight) { matrices_[index(which)] = std::move(weight); }
  void set_vector(const TensorSpec& spec, std::vector<float> values);

 private:
  static std::size_t index(BlockWeight which) { return static_cast<std::size_t>(which); }

  std::array<Weight, kBlockWeights> matrices_;
  std::array<std::vector<float>, kBlockWeights> biases_;
  std::array<std::vector<float>, kBlockWeights> norms_;
};

struct ModelWeights {
  Weight embedding;                  // [vocabulary, hidden]
  std::vector<LayerWeights> layers;  // the first ones, as many as were asked for

  /// Lets a backend prepare every matrix.
  void bind_to(Backend& backend);
};

/// How a checkpoint names its tensors.
enum class TensorNaming { kHuggingFace, kGguf };

/// Finds the embedding and the first `layer_count` blocks: every tensor must be there with the shape that
/// the configuration says. @throws InputError that lists everything missing or misshapen.
ModelWeights bind_weights(const NamedTensors& tensors, const ModelConfig& config, std::size_t layer_count,
                          TensorNaming naming, const std::string& where);

/// Names of the tensors that bind_weights will look for; the hub downloads only the shards that hold them.
std::vector<std::string> needed_tensor_names(const ModelConfig& config, std::size_t layer_count,
                                             TensorNaming naming);

}  // namespace saescope
