// What the goldens of SAEs (tests/golden_sae_test.cc) do not reach: more rows and features than a device
// takes at once, what comes back, and too little memory.
#include "ops/torch/torch_encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "ops/encode/activation_function.h"
#include "ops/reference/reference_backend.h"
#include "ops/torch/torch_testing.h"

namespace saescope {
namespace {

using testing_support::make_torch_backend;

constexpr std::size_t kDim = 24, kFeatures = 1300;  // of 512 at once
constexpr std::size_t kRows = 150;                  // of 64

/// An encoder of whole numbers: products are exact, so that equal activations are frequent and equal
/// everywhere.
struct WholeNumbers {
  std::vector<float> weight, x;
  EncoderParameters parameters;

  explicit WholeNumbers(ActivationFunction function, int64_t k = 20) {
    std::mt19937 random(5);
    const auto draw = [&](std::size_t size) {
      std::vector<float> values(size);
      for (float& value : values) value = static_cast<float>(random() % 5) - 2;
      return values;
    };
    weight = draw(kFeatures * kDim);
    x = draw(kRows * kDim);
    parameters.activation_dim = kDim;
    parameters.dict_size = kFeatures;
    parameters.weight =
        TensorView::dense(DType::kF32, {kFeatures, kDim}, reinterpret_cast<const std::byte*>(weight.data()));
    parameters.scale.assign(kFeatures, 2);
    parameters.bias = draw(kFeatures);
    parameters.gate_bias = draw(kFeatures);
    parameters.feature_threshold = draw(kFeatures);
    parameters.function = function;
    parameters.threshold = 9;
    parameters.k = k;
  }

  MatrixView<const float> rows(std::size_t count) const { return {x.data(), count, kDim, kDim}; }
};

struct Encoded {
  std::vector<float> activations;  ///< [rows, kFeatures]
  std::size_t entries = 0;
  bool dense = false;  ///< whether a whole matrix came
};

Encoded encode(Backend& backend, const WholeNumbers& numbers, std::size_t rows, IndexRange features = {}) {
  Encoded encoded;
  encoded.activations.assign(rows * kFeatures, 0);
  backend.encode(numbers.rows(rows), backend.bind_encoder(numbers.parameters, features),
                 [&](std::size_t first, const FeatureBlock& block) {
                   encoded.dense |= std::holds_alternative<MatrixView<const float>>(block);
                   for_each_hit(block, [&](std::size_t row, std::size_t column, float activation) {
                     encoded.activations[row * kFeatures + first + column] = activation;
                     ++encoded.entries;
                   });
                 });
  return encoded;
}

class TorchEncode : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    backend = make_torch_backend(reason);
    if (!backend) GTEST_SKIP() << "skipped, nothing was tested: " << reason;
  }
  std::unique_ptr<TorchBackend> backend;
  ReferenceBackend reference;
};

TEST_F(TorchEncode, EveryActivationFunctionEqualsTheReferenceForAnyNumberOfRowsAndRangeOfFeatures) {
  for (const ActivationFunction function :
       {ActivationFunction::kRelu, ActivationFunction::kThreshold, ActivationFunction::kJumpRelu,
        ActivationFunction::kGated, ActivationFunction::kTopK, ActivationFunction::kGroupMax}) {
    const WholeNumbers numbers(function);
    for (const std::size_t rows : {1, 63, 64, 65, 150}) {
      for (const IndexRange features : {IndexRange{}, IndexRange{511, 1025}, IndexRange{1299, 1300}}) {
        SCOPED_TRACE(testing::Message() << "function " << int(function) << ", " << rows
                                        << " rows, features from " << features.begin);
        EXPECT_EQ(encode(*backend, numbers, rows, features).activations,
                  encode(reference, numbers, rows, features).activations);
      }
    }
  }
}

TEST_F(TorchEncode, TheLargestAreChosenExactlyWhereManyAreEqualAndForAnyK) {
  for (const ActivationFunction function : {ActivationFunction::kTopK, ActivationFunction::kGroupMax}) {
    for (const int64_t k : {1, 4, 25, 650, 1300}) {
      SCOPED_TRACE(testing::Message() << "function " << int(function) << ", k " << k);
      const WholeNumbers numbers(function, k);
      EXPECT_EQ(encode(*backend, numbers, kRows).activations, encode(reference, numbers, kRows).activations);
    }
  }
}

TEST_F(TorchEncode, OnlyWhatIsNotZeroComesBack) {
  WholeNumbers numbers(ActivationFunction::kThreshold);
  numbers.parameters.threshold = 40;
  const Encoded encoded = encode(*backend, numbers, kRows);
  EXPECT_FALSE(encoded.dense);
  EXPECT_GT(encoded.entries, 0u);
  EXPECT_LT(encoded.entries, kRows * kFeatures / 20);
  numbers.parameters.threshold = 1e9f;
  EXPECT_EQ(encode(*backend, numbers, kRows).entries, 0u);
}

TEST_F(TorchEncode, AnActivationThatIsNotFiniteIsNamedWhateverTheFunction) {
  for (const ActivationFunction function :
       {ActivationFunction::kRelu, ActivationFunction::kJumpRelu, ActivationFunction::kGated,
        ActivationFunction::kTopK, ActivationFunction::kGroupMax}) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      SCOPED_TRACE(testing::Message() << "function " << int(function) << ", " << bad);
      WholeNumbers numbers(function);
      numbers.parameters.bias[700] = bad;
      try {
        encode(*backend, numbers, 70);
        ADD_FAILURE() << "not noticed";
      } catch (const NotFiniteActivation& failure) {
        EXPECT_EQ(failure.feature, 700u);
        EXPECT_LT(failure.row, 70u);
      }
    }
  }
}

TEST_F(TorchEncode, AnEncoderStaysOnTheDeviceUntilMemoryIsSaved) {
  const WholeNumbers numbers(ActivationFunction::kRelu);
  const BoundEncoder encoder = backend->bind_encoder(numbers.parameters);
  EXPECT_FALSE(backend->holds(encoder.weight));
  backend->encode(numbers.rows(3), encoder, [](std::size_t, const FeatureBlock&) {});
  EXPECT_TRUE(backend->holds(encoder.weight));
  backend->save_memory();
  EXPECT_FALSE(backend->holds(encoder.weight));
}

TEST_F(TorchEncode, WhatTheSinkThrowsReachesTheCallerAndTheNextEncodingIsSound) {
  const WholeNumbers numbers(ActivationFunction::kRelu);
  EXPECT_THROW(backend->encode(numbers.rows(3), backend->bind_encoder(numbers.parameters),
                               [](std::size_t, const FeatureBlock&) { throw std::runtime_error("full"); }),
               std::runtime_error);
  EXPECT_EQ(encode(*backend, numbers, 3).activations, encode(reference, numbers, 3).activations);
}

}  // namespace
}  // namespace saescope
