#include "tensor/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace saescope {
namespace {

float from_parts(uint32_t bits) {
  const int exponent = static_cast<int>((bits >> 10) & 0x1Fu);
  const auto mantissa = static_cast<float>(bits & 0x3FFu);
  const float magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0f + mantissa, exponent - 25);
  return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

TEST(Float16, EveryFiniteValueIsExact) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    if ((bits & 0x7C00u) == 0x7C00u) continue;
    const float value = to_float(Float16{static_cast<uint16_t>(bits)});
    ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(from_parts(bits))) << bits;
  }
}

TEST(Float16, InfinitiesAndNansStayWhatTheyAre) {
  EXPECT_EQ(to_float(Float16{0x7C00}), std::numeric_limits<float>::infinity());
  EXPECT_EQ(to_float(Float16{0xFC00}), -std::numeric_limits<float>::infinity());
  for (const uint16_t bits : {uint16_t{0x7C01}, uint16_t{0x7E00}, uint16_t{0xFFFF}}) {
    EXPECT_TRUE(std::isnan(to_float(Float16{bits}))) << bits;
  }
}

TEST(BFloat16, EveryValueSurvivesTheWayToFloatAndBack) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = to_float(BFloat16{static_cast<uint16_t>(bits)});
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(to_float(to_bfloat16(value)))) << bits;
    } else {
      ASSERT_EQ(to_bfloat16(value).bits, bits);
    }
  }
}

TEST(BFloat16, RoundsToNearestEven) {
  const auto rounded = [](uint32_t bits) { return to_bfloat16(std::bit_cast<float>(bits)).bits; };
  EXPECT_EQ(rounded(0x3F807FFF), 0x3F80) << "below the middle";
  EXPECT_EQ(rounded(0x3F808000), 0x3F80) << "the middle goes down to an even number";
  EXPECT_EQ(rounded(0x3F818000), 0x3F82) << "the middle goes up to an even number";
  EXPECT_EQ(rounded(0x3F808001), 0x3F81) << "above the middle";
  EXPECT_EQ(rounded(0x7F7FFFFF), 0x7F80) << "the largest float becomes infinity";
}

TEST(BFloat16, NansWithLowPayloadsStayNans) {
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::bit_cast<float>(0x7F800001u)))));
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::bit_cast<float>(0xFFFFFFFFu)))));
}

}  // namespace
}  // namespace saescope
