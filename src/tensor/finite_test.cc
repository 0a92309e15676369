#include "tensor/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace saescope {
namespace {

TEST(FindNotFinite, SeesNanAndBothInfinitiesAtEveryPlace) {
  using Limits = std::numeric_limits<float>;
  for (const float bad :
       {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    for (std::size_t place = 0; place < 40; ++place) {
      std::vector<float> values(40, 1.0f);
      values[place] = bad;
      values.back() = place == 39 ? bad : Limits::quiet_NaN();
      EXPECT_EQ(find_not_finite(values), place);
    }
  }
}

TEST(FindNotFinite, TakesTheLargestAndSmallestFloatsAndNone) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> values = {0.0f, -0.0f, Limits::max(), Limits::lowest(), Limits::denorm_min()};
  EXPECT_EQ(find_not_finite(values), std::nullopt);
  EXPECT_EQ(find_not_finite({}), std::nullopt);
}

}  // namespace
}  // namespace saescope
