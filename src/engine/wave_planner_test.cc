#include "engine/wave_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/usable_resources.h"
#include "ops/reference/reference_backend.h"

namespace saescope {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kLongestPrompt = 100;
constexpr uint64_t kOtherBytes = uint64_t{1} << 20;

ModelConfig small_model() {
  ModelConfig config;
  config.architecture = find_architecture("llama");
  config.hidden_size = 64;
  config.intermediate_size = 256;
  config.attention = {.heads = 4, .kv_heads = 2, .head_dim = 16};
  return config;
}

WaveNeeds needs(const ModelConfig& config, uint64_t memory) {
  return {.config = config,
          .compute = DType::kF32,
          .longest_prompt = kLongestPrompt,
          .memory = {memory, kOtherBytes}};
}

WaveLimits plan(uint64_t memory) {
  const ModelConfig config = small_model();
  return plan_waves(needs(config, memory), ReferenceBackend());
}

uint64_t bytes_of(const WaveLimits& limits) {
  const ModelConfig config = small_model();
  return kOtherBytes + wave_bytes(needs(config, 0), limits, limits.nodes, ReferenceBackend());
}

TEST(WavePlanner, WithoutALimitOfTheUserTheProcessesMemoryBinds) {
  EXPECT_EQ(memory_of_run({}), usable_memory());
  EXPECT_EQ(memory_of_run({.memory_limit = 12345}), 12345u);
}

TEST(WavePlanner, MoreMemoryThanTheDefaultWaveNeedsChangesNothing) {
  const WaveLimits usual = plan(uint64_t{1} << 40);
  const WaveLimits enough = plan(bytes_of(usual));
  EXPECT_EQ(enough.nodes, usual.nodes);
  EXPECT_EQ(enough.chunk_rows, usual.chunk_rows);
}

TEST(WavePlanner, WavesStayWithinTheLimit) {
  const uint64_t most = bytes_of(plan(uint64_t{1} << 40));
  std::size_t nodes = 0;
  for (const uint64_t memory : {most / 8, most / 4, most / 2, most}) {
    const WaveLimits limits = plan(memory);
    EXPECT_LE(bytes_of(limits), memory);
    EXPECT_GE(limits.nodes, nodes) << "more memory made the wave smaller";
    EXPECT_GE(limits.nodes, kLongestPrompt);
    nodes = limits.nodes;
  }
}

/// A device with memory of its own.
class Device final : public ReferenceBackend {
 public:
  explicit Device(uint64_t bytes) : bytes_(bytes) {}
  std::optional<uint64_t> device_bytes() const override { return bytes_; }

 private:
  uint64_t bytes_;
};

TEST(WavePlanner, OnADeviceItsMemoryBindsAndTheRunsOtherBytesLieElsewhere) {
  const WaveMemory memory = memory_of_waves({.memory_limit = 12345}, kOtherBytes, Device(1 << 30));
  EXPECT_EQ(memory.limit, uint64_t{1} << 30);
  EXPECT_EQ(memory.other_bytes, 0u);
  const ModelConfig config = small_model();
  WaveNeeds small = needs(config, 0);
  small.memory = memory_of_waves({}, kOtherBytes, Device(1000));
  try {
    plan_waves(small, Device(1000));
    FAIL() << "planned";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("the GPU's free memory"), HasSubstr("--device cpu")));
  }
}

TEST(WavePlanner, AMemoryThatTheLongestPromptExceedsIsRefusedWithFigures) {
  try {
    plan(kOtherBytes);
    FAIL() << "planned";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("does not fit into the memory"), HasSubstr("100 tokens"),
                                    HasSubstr("1.0 MiB"), HasSubstr("--memory-limit")));
  }
}

}  // namespace
}  // namespace saescope
