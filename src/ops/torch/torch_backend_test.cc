// What backend_test.cc does not ask of every backend: how weights come to the device.
#include "ops/torch/torch_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>

#include "ops/torch/torch_testing.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

using testing_support::make_torch_backend;

constexpr std::size_t kRows = 5, kIn = 96, kOut = 1300;

std::vector<float> random_numbers(std::size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

class TorchBackendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    backend = make_torch_backend(reason);
    streaming = make_torch_backend(reason, 2, 0);
    if (!backend) GTEST_SKIP() << "skipped, nothing was tested: " << reason;
  }

  std::vector<float> multiply(Backend& on, const Weight& weight, DType dtype = DType::kF32) const {
    const Array x = on.allocate(kRows, kIn, dtype);
    on.upload({x_.data(), kRows, kIn, kIn}, x);
    const Array y = on.allocate(kRows, weight.shape[0], DType::kF32);
    on.linear(x, weight, {}, y, false);
    std::vector<float> values(kRows * weight.shape[0]);
    on.download(y, {values.data(), kRows, weight.shape[0], weight.shape[0]});
    return values;
  }

  TensorView view_of(const std::vector<float>& values, std::size_t outputs) const {
    return TensorView::dense(DType::kF32, {outputs, kIn}, reinterpret_cast<const std::byte*>(values.data()));
  }

  std::unique_ptr<TorchBackend> backend, streaming;
  std::string reason_;
  std::vector<float> x_ = random_numbers(kRows * kIn, 1);
  std::vector<float> weights_ = random_numbers(kOut * kIn, 2);
};

TEST_F(TorchBackendTest, WeightsThatStayAndWeightsThatAreSentAgainGiveTheSameBits) {
  const Weight kept = backend->bind(view_of(weights_, kOut));
  const Weight sent = streaming->bind(view_of(weights_, kOut));
  const std::vector<float> expected = multiply(*backend, view_of(weights_, kOut));
  for (int time = 0; time < 3; ++time) {
    EXPECT_EQ(multiply(*backend, kept), expected) << time;
    EXPECT_EQ(multiply(*streaming, sent), expected) << time;
  }
  // Both kinds of products from one weight: what stays is of the kind that was used last.
  const std::vector<float> rounded = multiply(*backend, kept, DType::kBF16);
  EXPECT_NE(rounded, expected);
  EXPECT_EQ(multiply(*backend, kept), expected);
}

TEST_F(TorchBackendTest, AWeightThatStaysIsReadOnceUntilMemoryIsSaved) {
  std::vector<float> values = weights_;
  const Weight kept = backend->bind(view_of(values, kOut));
  const std::vector<float> before = multiply(*backend, kept);
  values[0] += 1;
  EXPECT_EQ(multiply(*backend, kept), before);
  backend->save_memory();
  EXPECT_NE(multiply(*backend, kept), before);
}

TEST_F(TorchBackendTest, AWeightIsHeldWhereAllOfItStays) {
  constexpr uint64_t kMostOfIt = (kOut - 1) * kIn * sizeof(float);
  const auto tight = make_torch_backend(reason_, 2, kMostOfIt);
  for (const auto& [on, stays] :
       {std::pair(backend.get(), true), {streaming.get(), false}, {tight.get(), false}}) {
    const Weight weight = on->bind(view_of(weights_, kOut));
    EXPECT_FALSE(on->holds(weight));
    EXPECT_FALSE(on->holds(view_of(weights_, kOut))) << "which was never bound";
    multiply(*on, weight);
    EXPECT_EQ(on->holds(weight), stays);
    on->save_memory();
    EXPECT_FALSE(on->holds(weight));
  }
}

TEST_F(TorchBackendTest, AnOutputHasTheSameBitsWhateverTheOtherOutputsAndHoweverTheyLie) {
  const std::vector<float> whole = multiply(*backend, view_of(weights_, kOut));
  std::vector<float> turned(weights_.size());
  for (std::size_t o = 0; o < kOut; ++o) {
    for (std::size_t i = 0; i < kIn; ++i) turned[i * kOut + o] = weights_[o * kIn + i];
  }
  const TensorView transposed = {
      DType::kF32, {kOut, kIn}, {1, kOut}, reinterpret_cast<const std::byte*>(turned.data())};
  EXPECT_EQ(multiply(*backend, transposed), whole);
  for (const std::size_t count : {1, 3, 64, 513}) {
    const std::vector<float> some = multiply(*backend, view_of(weights_, count));
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t c = 0; c < count; ++c) {
        ASSERT_EQ(some[r * count + c], whole[r * kOut + c]) << r << " " << c << " of " << count;
      }
    }
  }
}

TEST_F(TorchBackendTest, QuantisedWeightsAreThoseThatTheyStandFor) {
  std::vector<std::byte> blocks(*storage_bytes(DType::kQ8_0, kOut * kIn));
  std::mt19937 random(3);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::byte>(random());
  for (std::size_t block = 0; block < blocks.size(); block += 34) {
    const uint16_t scale = 0x2000;  // 2^-7
    std::memcpy(blocks.data() + block, &scale, sizeof scale);
  }
  std::vector<float> floats(kOut * kIn);
  dequantize(DType::kQ8_0, blocks.data(), floats.size(), floats.data());
  const TensorView quantised = TensorView::dense(DType::kQ8_0, {kOut, kIn}, blocks.data());
  EXPECT_EQ(multiply(*backend, quantised), multiply(*backend, view_of(floats, kOut)));
}

TEST_F(TorchBackendTest, NumericsNameWhatBitsDependOn) {
  EXPECT_THAT(backend->numerics(DType::kF32), ::testing::HasSubstr("PyTorch 2."));
  EXPECT_NE(backend->numerics(DType::kF32), make_torch_backend(reason_, 1)->numerics(DType::kF32));
  backend->note_dependent_rows();
  EXPECT_THAT(backend->numerics(DType::kF32), ::testing::HasSubstr("rows depend on their wave"));
}

}  // namespace
}  // namespace saescope
