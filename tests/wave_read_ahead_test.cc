// What is read of a model's files ahead of a wave, where a device keeps weights of earlier ones.
#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>

#include "engine/wave_read_ahead.h"
#include "in_process_run.h"
#include "ops/reference/reference_backend.h"
#include "ops/torch/torch_testing.h"

namespace saescope {
namespace {

using testing_support::InProcessRun;

/// Says of its weights what a test wants.
class HoldingDevice final : public ReferenceBackend {
 public:
  bool holds(const Weight& weight) const override {
    ++asked;
    return held.contains(weight.data);
  }

  std::set<const std::byte*> held;
  mutable std::size_t asked = 0;
};

std::size_t bytes_of(const ReadAhead::Step& step) {
  std::size_t bytes = 0;
  for (const auto& part : step) bytes += part.size();
  return bytes;
}

constexpr std::size_t kMatricesOfLayer = 7;

TEST(WaveReadAhead, LeavesOutWhatTheDeviceHolds) {
  InProcessRun run;
  const Checkpoint& checkpoint = run.model->checkpoint;
  HoldingDevice device;
  const ReadAhead::Step all = layer_weights(checkpoint, 1, device);
  EXPECT_EQ(all.size(), kMatricesOfLayer);
  EXPECT_EQ(bytes_of(all), checkpoint.model.weights.layers[1].elements() * sizeof(float));
  device.held = {all[1].data(), all[4].data()};
  const ReadAhead::Step rest = layer_weights(checkpoint, 1, device);
  EXPECT_EQ(bytes_of(rest), bytes_of(all) - all[1].size() - all[4].size());
  for (const auto& part : rest) EXPECT_FALSE(device.held.contains(part.data()));
}

TEST(WaveReadAhead, EachWaveAsksAgainWhatTheDeviceHolds) {
  InProcessRun run({.batch_tokens = InProcessRun::kTokensOfThreeWaves});
  HoldingDevice device;
  const InProcessRun::Streamed streamed = run.stream(device);
  EXPECT_GE(streamed.counts.waves, 3u);
  EXPECT_EQ(device.asked, streamed.counts.waves * streamed.layers.size() * kMatricesOfLayer);
}

TEST(WaveReadAhead, EachWaveAsksAgainWhetherTheDeviceHoldsAnSae) {
  InProcessRun run({.batch_tokens = InProcessRun::kTokensOfThreeWaves});
  constexpr std::size_t kLayers = 3, kSaes = 2;
  HoldingDevice device;
  run.encode(device);
  EXPECT_GE(device.asked, 3 * (kLayers * kMatricesOfLayer + kSaes));
  EXPECT_EQ(device.asked % (kLayers * kMatricesOfLayer + kSaes), 0u);
}

TEST(WaveReadAhead, WeightsThatStayOnATorchDeviceAreReadForTheFirstWaveAlone) {
  std::string reason;
  const auto device = testing_support::make_torch_backend(reason);
  if (!device) GTEST_SKIP() << "skipped, nothing was tested: " << reason;
  InProcessRun run;
  run.model->checkpoint.model.weights.bind_to(*device);
  const auto read_by_layers = [&] {
    std::size_t bytes = 0;
    for (std::size_t layer = 0; layer < 3; ++layer) {
      bytes += bytes_of(layer_weights(run.model->checkpoint, layer, *device));
    }
    return bytes;
  };
  const std::size_t all = read_by_layers();
  EXPECT_GT(all, 0u);
  run.stream(*device);
  EXPECT_EQ(read_by_layers(), 0u);
  device->save_memory();
  EXPECT_EQ(read_by_layers(), all);
}

}  // namespace
}  // namespace saescope
