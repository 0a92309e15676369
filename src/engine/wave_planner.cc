#include "engine/wave_planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "base/usable_resources.h"

namespace saescope {
namespace {

// A layer's weights are read and packed once for each chunk: a chunk is the whole wave where memory allows.
constexpr std::size_t kLargestChunk = 8192;
constexpr std::size_t kSmallestChunk = 64;

}  // namespace

uint64_t memory_of_run(const ComputeSettings& settings) {
  return settings.memory_limit != 0 ? settings.memory_limit : usable_memory();
}

WaveMemory memory_of_waves(const ComputeSettings& settings, uint64_t other_bytes, const Backend& backend) {
  if (const auto bytes = backend.device_bytes()) return {*bytes, 0, true};
  return {memory_of_run(settings), other_bytes, false};
}

WaveLimits plan_waves(const WaveNeeds& needs, const Backend& backend) {
  const std::size_t wanted =
      std::max<std::size_t>(needs.batch_tokens != 0 ? needs.batch_tokens : kUsualWaveNodes, 1);
  const std::size_t per_node = Forward::bytes_per_node(needs.config, needs.all_tokens);
  const auto fixed_bytes = [&](std::size_t chunk) {
    return needs.memory.other_bytes + Forward::fixed_bytes(needs.config, needs.compute, chunk, backend);
  };
  for (std::size_t chunk = kLargestChunk; chunk >= kSmallestChunk; chunk /= 2) {
    const uint64_t fixed = fixed_bytes(chunk);
    if (fixed + per_node * needs.longest_prompt > needs.memory.limit) continue;
    const auto nodes = static_cast<std::size_t>((needs.memory.limit - fixed) / per_node);
    // A larger chunk is worth more than a larger wave, but a wave should fill its chunk.
    if (nodes < std::min(wanted, chunk) && chunk > kSmallestChunk) continue;
    return {std::clamp<std::size_t>(nodes, 1, wanted), chunk};
  }
  throw InputError(
      {.what = needs.memory.of_device ? "the run does not fit into the GPU's free memory"
                                      : "the run does not fit into the memory that it may use",
       .expected = fmt::format("at least {} for the longest prompt ({} tokens)",
                               format_bytes(fixed_bytes(kSmallestChunk) + per_node * needs.longest_prompt),
                               needs.longest_prompt),
       .found = format_bytes(needs.memory.limit),
       .hint = fmt::format("{}, or leave long prompts out with --max-tokens and --skip-long",
                           needs.memory.of_device
                               ? "end other programs on the GPU, name another one or --device cpu"
                               : "raise --memory-limit or give the container or job more memory")});
}

uint64_t wave_bytes(const WaveNeeds& needs, const WaveLimits& limits, std::size_t tokens,
                    const Backend& backend) {
  const std::size_t nodes = std::min(limits.nodes, tokens);
  return Forward::fixed_bytes(needs.config, needs.compute, std::min(limits.chunk_rows, nodes), backend) +
         Forward::bytes_per_node(needs.config, needs.all_tokens) * nodes;
}

}  // namespace saescope
