#include "base/checked.h"

#include <gtest/gtest.h>

namespace saescope {
namespace {

constexpr uint64_t kMax = ~uint64_t{0};

TEST(Checked, ProductsThat64BitsDoNotHoldAreNothing) {
  EXPECT_EQ(checked_mul(6, 7), 42u);
  EXPECT_EQ(checked_mul(kMax, 1), kMax);
  EXPECT_EQ(checked_mul(kMax, 0), 0u);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
}

TEST(Checked, SumsThat64BitsDoNotHoldAreNothing) {
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
}

TEST(Checked, RangesMustEndInsideTheFile) {
  EXPECT_TRUE(range_fits(0, 10, 10));
  EXPECT_TRUE(range_fits(10, 0, 10));
  EXPECT_FALSE(range_fits(1, 10, 10));
  EXPECT_FALSE(range_fits(11, 0, 10));
  EXPECT_FALSE(range_fits(5, kMax, 10)) << "the sum of both would wrap around";
}

}  // namespace
}  // namespace saescope
