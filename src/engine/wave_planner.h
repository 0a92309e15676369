#pragma once

#include <cstddef>
#include <cstdint>

#include "model/forward.h"
#include "plan/run_plan.h"

namespace saescope {

/// Distinct prefixes of a wave, where memory allows.
inline constexpr std::size_t kUsualWaveNodes = 8192;

/// How much of a model is computed at once.
struct WaveLimits {
  std::size_t nodes = 0;       ///< distinct prefixes of a wave; a single longer prompt still runs alone
  std::size_t chunk_rows = 0;  ///< tokens whose MLP scratch is held at once
};

/// Where a wave lies, as the needs say it: a device's memory where it has its own, else the process's, which
/// holds the run's other bytes as well.
struct WaveMemory {
  uint64_t limit = 0;
  uint64_t other_bytes = 0;
  bool of_device = false;
};

/// What the size of waves depends on.
struct WaveNeeds {
  const ModelConfig& config;
  DType compute = DType::kBF16;
  bool all_tokens = false;         ///< whether every token's activation leaves the forward pass
  std::size_t longest_prompt = 0;  ///< tokens, which must fit
  WaveMemory memory = {};          ///< other_bytes: prompts, SAE terms, statistics
  uint64_t batch_tokens = 0;       ///< the user's number of tokens for a wave, 0: chosen here
};

/// What a precision means for the matrix products.
inline DType compute_type(Precision precision) {
  return precision == Precision::kFp32 ? DType::kF32 : DType::kBF16;
}

/// Bytes that a run stays within: the user's limit, else the memory that the process may use.
uint64_t memory_of_run(const ComputeSettings& settings);

/// @param other_bytes what the run holds besides the forward pass
WaveMemory memory_of_waves(const ComputeSettings& settings, uint64_t other_bytes, const Backend& backend);

/// Chooses the limits so that a wave stays within the memory limit.
/// @throws InputError where even the smallest wave does not fit
WaveLimits plan_waves(const WaveNeeds& needs, const Backend& backend);

/// Bytes that the forward pass holds for a wave. @param tokens of all prompts: a wave is no larger
uint64_t wave_bytes(const WaveNeeds& needs, const WaveLimits& limits, std::size_t tokens,
                    const Backend& backend);

}  // namespace saescope
