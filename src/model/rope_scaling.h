#pragma once

#include <cstddef>
#include <vector>

namespace saescope {

/// theta^(-2i / head_dim) for i in [0, head_dim / 2), in float32 as transformers computes it.
std::vector<float> rope_inverse_frequencies(double theta, std::size_t head_dim);

/// Llama 3.1's frequency scaling (transformers' `_compute_llama3_parameters`).
struct Llama3RopeScaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_context = 8192;
};

void apply_llama3_scaling(const Llama3RopeScaling& scaling, std::vector<float>& inverse_frequencies);

/// YaRN (Peng et al. 2023; transformers' `_compute_yarn_parameters`).
struct YarnRopeScaling {
  double factor = 1;
  double original_context = 8192;
  double beta_fast = 32;
  double beta_slow = 1;
  bool truncate = true;
};

/// @return the inverse frequencies of a head
std::vector<float> yarn_inverse_frequencies(const YarnRopeScaling& scaling, double theta,
                                            std::size_t head_dim);

/// YaRN's attention factor for a stretch by `factor`: 0.1 · mscale · ln(factor) + 1.
double yarn_magnitude(double factor, double mscale = 1);

}  // namespace saescope
