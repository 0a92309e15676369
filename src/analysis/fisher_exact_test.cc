#include "analysis/fisher_exact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace saescope {
namespace {

nlohmann::json goldens() {
  std::ifstream file(SAESCOPE_SOURCE_DIR "/tests/goldens/contrast/fisher.json");
  return nlohmann::json::parse(file);
}

TwoGroups groups_of(const nlohmann::json& row) {
  const auto& table = row["table"];
  return {table[0], table[1], table[2], table[3]};
}

double relative_error(double value, double expected) {
  return expected == 0 ? std::abs(value) : std::abs(value / expected - 1);
}

TEST(FisherExact, EqualsRationalArithmeticUpToTwoHundredThousandPrompts) {
  for (const auto& row : goldens()) {
    EXPECT_LT(relative_error(fisher_exact(groups_of(row)), row["p_value"]), 1e-10) << row;
  }
}

TEST(FisherExact, EqualsScipyWithinItsRounding) {
  for (const auto& row : goldens()) {
    EXPECT_LT(relative_error(fisher_exact(groups_of(row)), row["scipy"]), 1e-7) << row;
  }
}

TEST(FisherExact, OddsRatioEqualsScipysInfinityAndNanIncluded) {
  for (const auto& row : goldens()) {
    const double ratio = odds_ratio(groups_of(row));
    const auto& expected = row["odds_ratio"];
    if (expected == "nan") {
      EXPECT_TRUE(std::isnan(ratio)) << row;
    } else if (expected == "inf") {
      EXPECT_TRUE(std::isinf(ratio)) << row;
    } else {
      EXPECT_LT(relative_error(ratio, expected), 1e-14) << row;
    }
  }
}

TEST(FisherExact, TheOrderOfTheGroupsAndWhatCountsAsActiveDoNotMatter) {
  const TwoGroups groups = {700, 5000, 900, 15000};
  const TwoGroups swapped = {900, 15000, 700, 5000};
  const TwoGroups inactive = {4300, 5000, 14100, 15000};
  EXPECT_NEAR(fisher_exact(swapped) / fisher_exact(groups), 1.0, 1e-11);
  EXPECT_NEAR(fisher_exact(inactive) / fisher_exact(groups), 1.0, 1e-11);
}

TEST(FisherExact, TablesThatAreExactlyAsProbableOnTheOtherSideCount) {
  // Groups of one size: k and drawn - k are mirror images.
  const double p = fisher_exact({50100, 100000, 49900, 100000});
  const double mirrored = fisher_exact({49900, 100000, 50100, 100000});
  EXPECT_NEAR(p / mirrored, 1.0, 1e-11);
  EXPECT_GT(p, 0.3);  // both tails: one alone is 0.19
}

}  // namespace
}  // namespace saescope
