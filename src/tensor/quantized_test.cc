#include "tensor/quantized.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/atomic_file.h"

namespace saescope {
namespace {

constexpr std::size_t kElements = 1024;

class Dequantize : public ::testing::TestWithParam<DType> {
 protected:
  /// The golden's stored elements, then the float32 values of the Python package gguf.
  std::string golden() const {
    return read_file(std::filesystem::path(SAESCOPE_SOURCE_DIR) / "tests/goldens/formats" /
                     ("dequantize_" + std::string(name_of(GetParam())) + ".bin"));
  }
};

TEST_P(Dequantize, IsBitEqualToThePythonPackage) {
  const std::string file = golden();
  const std::size_t stored = *storage_bytes(GetParam(), kElements);
  ASSERT_EQ(file.size(), stored + kElements * sizeof(float));
  std::vector<float> values(kElements);
  dequantize(GetParam(), reinterpret_cast<const std::byte*>(file.data()), kElements, values.data());
  for (std::size_t i = 0; i < kElements; ++i) {
    uint32_t expected = 0;
    std::memcpy(&expected, file.data() + stored + i * sizeof(float), sizeof(expected));
    ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), expected)
        << "element " << i << ": " << values[i] << ", not " << std::bit_cast<float>(expected);
  }
}

TEST_P(Dequantize, ReadsFromAnyAddressAndWritesWholeBlocksOnly) {
  const std::string file = golden();
  const std::size_t block = layout_of(GetParam()).block_elements;
  const std::size_t stored = *storage_bytes(GetParam(), block);
  std::vector<float> expected(block);
  dequantize(GetParam(), reinterpret_cast<const std::byte*>(file.data()), block, expected.data());
  std::vector<std::byte> shifted(stored + 1);
  std::memcpy(shifted.data() + 1, file.data(), stored);
  std::vector<float> values(block + 1, 42.0f);
  dequantize(GetParam(), shifted.data() + 1, block, values.data());
  EXPECT_EQ(std::memcmp(values.data(), expected.data(), block * sizeof(float)), 0);
  EXPECT_EQ(values[block], 42.0f);
}

INSTANTIATE_TEST_SUITE_P(Types, Dequantize,
                         ::testing::Values(DType::kF32, DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1,
                                           DType::kQ5_0, DType::kQ5_1, DType::kQ8_0, DType::kQ4_K,
                                           DType::kQ5_K, DType::kQ6_K, DType::kQ2_K, DType::kQ3_K,
                                           DType::kIQ4_NL, DType::kIQ4_XS, DType::kMXFP4),
                         [](const auto& instance) { return std::string(name_of(instance.param)); });

TEST(DequantizeErrors, RefusesIntegers) {
  float value = 0;
  const std::byte source[8] = {};
  EXPECT_THROW(dequantize(DType::kI64, source, 1, &value), std::logic_error);
}

}  // namespace
}  // namespace saescope
