// The memory bound of a full-size dictionary: 131,072 features of 4,096 dimensions, 840 rows.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>

#include "analysis/feature_statistics.h"
#include "ops/cpu/cpu_backend.h"
#include "process.h"
#include "tensor/buffer.h"
#include "tensor/mapped_file.h"

namespace saescope {
namespace {

/// Anonymous memory of this process now, in bytes (RssAnon of /proc/self/status, which counts KiB).
uint64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    uint64_t kib = 0;
    if (key == "RssAnon:" && status >> kib) return kib * 1024;
  }
  return 0;
}

TEST(LargeDictionary, EncodesWithFarLessAnonymousMemoryThanTheFileHas) {
  constexpr std::size_t kFeatures = 131072;
  constexpr std::size_t kDim = 4096;
  constexpr std::size_t kRows = 840;
  constexpr uint64_t kBound = 600'000'000;
  // A file with a hole has the size of the real one and no content: every weight is 0.
  const testing_support::TemporaryFolder folder;
  const std::string path = folder / "weight";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::ftruncate(fd, static_cast<off_t>(kFeatures * kDim * sizeof(float))), 0);
  ::close(fd);
  const MappedFile file(path);

  EncoderParameters parameters;
  parameters.activation_dim = kDim;
  parameters.dict_size = kFeatures;
  parameters.weight = {DType::kF32, {kFeatures, kDim}, {1, kFeatures}, file.bytes().data()};  // transposed
  parameters.function = ActivationFunction::kThreshold;
  parameters.threshold = 0.5f;
  parameters.bias.assign(kFeatures, 0.0f);
  parameters.bias[77777] = 2.0f;
  parameters.input_bias.assign(kDim, 0.1f);

  CpuBackend backend(2);
  Matrix<float> rows(kRows, kDim);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::generate(rows.row(0), rows.row(0) + kRows * kDim, [&] { return normal(random); });

  FeatureStatistics statistics(kFeatures, 0.01f);
  std::atomic<uint64_t> peak = 0;
  backend.encode(rows.view(), backend.bind_encoder(parameters),
                 [&](std::size_t first, const FeatureBlock& block) {
                   std::visit([&](const auto& part) { statistics.add(first, part); }, block);
                   const uint64_t now = anonymous_bytes();
                   for (uint64_t seen = peak; seen < now && !peak.compare_exchange_weak(seen, now);) continue;
                 });
  EXPECT_GT(peak, kRows * kDim * sizeof(float)) << "the measurement itself must work";
  EXPECT_LT(peak, kBound);
  const auto features = statistics.finish(kRows, 1.0);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].feature_id, 77777);
  EXPECT_EQ(features[0].activation_mean, 2.0f);
  RecordProperty("peak_anonymous_mb", static_cast<int>(peak.load() / 1'000'000));
}

}  // namespace
}  // namespace saescope
