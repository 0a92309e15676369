#pragma once

#include <cstddef>
#include <cstdint>

#include "app/options.h"
#include "model/forward.h"

namespace saescope {

/// How much of a model is computed at once.
struct WaveLimits {
  std::size_t nodes = 0;       ///< distinct prefixes of a wave; a single longer prompt still runs alone
  std::size_t chunk_rows = 0;  ///< tokens whose MLP scratch is held at once
};

/// What --dtype means for the matrix products.
inline DType compute_type(Precision precision) {
  return precision == Precision::kFp32 ? DType::kF32 : DType::kBF16;
}

/// Bytes that a run stays within: --memory-limit, else the memory that the process may use.
uint64_t memory_of_run(const Options& options);

/// Chooses the limits so that a wave stays within the memory limit.
/// @param memory_limit bytes
/// @param batch_tokens the user's number of tokens for a wave, 0: chosen here
/// @param longest_prompt tokens of the longest prompt, which must fit
/// @param other_bytes what the run holds besides the forward pass (prompts, SAE terms, statistics)
/// @param all_tokens whether every token's activation leaves the forward pass
/// @throws InputError where even the smallest wave does not fit
WaveLimits plan_waves(const ModelConfig& config, DType compute, const Backend& backend, uint64_t memory_limit,
                      uint64_t batch_tokens, std::size_t longest_prompt, uint64_t other_bytes,
                      bool all_tokens);

/// Bytes that the forward pass holds for a wave. @param tokens of all prompts: a wave is no larger
uint64_t wave_bytes(const ModelConfig& config, DType compute, const Backend& backend,
                    const WaveLimits& limits, std::size_t tokens, bool all_tokens);

}  // namespace saescope
