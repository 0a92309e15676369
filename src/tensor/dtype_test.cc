#include "tensor/dtype.h"

#include <gtest/gtest.h>

namespace saescope {
namespace {

TEST(DType, StorageOfPlainTypesIsElementsTimesSize) {
  EXPECT_EQ(storage_bytes(DType::kF32, 3), 12u);
  EXPECT_EQ(storage_bytes(DType::kBF16, 3), 6u);
  EXPECT_EQ(storage_bytes(DType::kI64, 0), 0u);
  EXPECT_EQ(storage_bytes(DType::kBool, 5), 5u);
}

TEST(DType, StorageOfQuantisedTypesIsInWholeBlocks) {
  EXPECT_EQ(storage_bytes(DType::kQ4_0, 64), 36u);
  EXPECT_EQ(storage_bytes(DType::kQ6_K, 512), 420u);
  EXPECT_EQ(storage_bytes(DType::kQ8_0, 33), std::nullopt);
  EXPECT_EQ(storage_bytes(DType::kQ4_K, 32), std::nullopt);
}

TEST(DType, StorageThat64BitsDoNotHoldIsNothing) {
  EXPECT_EQ(storage_bytes(DType::kF32, uint64_t{1} << 62), std::nullopt);
  EXPECT_EQ(storage_bytes(DType::kBool, ~uint64_t{0}), ~uint64_t{0});
}

TEST(DType, KindsOfTypes) {
  EXPECT_TRUE(is_quantized(DType::kQ5_1));
  EXPECT_FALSE(is_quantized(DType::kBool));
  EXPECT_TRUE(is_plain_float(DType::kBF16));
  EXPECT_FALSE(is_plain_float(DType::kQ8_0));
  EXPECT_FALSE(is_plain_float(DType::kI32));
  EXPECT_EQ(name_of(DType::kQ4_K), "Q4_K");
}

}  // namespace
}  // namespace saescope
