#include "analysis/feature_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace saescope {
namespace {

using ::testing::ElementsAre;

MatrixView<const float> view(const std::vector<float>& values, std::size_t cols) {
  return {values.data(), values.size() / cols, cols, cols};
}

std::vector<int64_t> ids(const std::vector<FeatureSummary>& features) {
  std::vector<int64_t> result;
  for (const FeatureSummary& feature : features) result.push_back(feature.feature_id);
  return result;
}

TEST(FeatureStatistics, MeanIsOverActivePromptsExtremesOverAll) {
  FeatureStatistics statistics(1, 0.5f);
  statistics.add(0, view({0.25f, 1.0f, 0.0f, 2.0f}, 1));
  const auto features = statistics.finish(4, 0.0);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].num_prompts, 2u);
  EXPECT_EQ(features[0].activation_mean, 1.5f);
  EXPECT_EQ(features[0].activation_max, 2.0f);
  EXPECT_EQ(features[0].activation_min, 0.0f);
}

TEST(FeatureStatistics, AnActivationEqualToTheThresholdIsNotActive) {
  FeatureStatistics statistics(2, 0.01f);
  statistics.add(0, view({0.01f, 0.0100001f}, 2));
  EXPECT_THAT(ids(statistics.finish(1, 0.0)), ElementsAre(1));
}

TEST(FeatureStatistics, MeansAreSummedInDouble) {
  // In float, 2^24 + 1 + 1 stays 2^24.
  FeatureStatistics statistics(1, 0.0f);
  statistics.add(0, view({16777216.0f, 1.0f, 1.0f, 1.0f}, 1));
  EXPECT_EQ(statistics.finish(4, 0.0).at(0).activation_mean, static_cast<float>(16777219.0 / 4));
}

TEST(FeatureStatistics, AFeatureThatIsNeverActiveIsLeftOutAtThresholdZero) {
  FeatureStatistics statistics(2, 0.01f);
  statistics.add(0, view({0.0f, 1.0f}, 2));
  EXPECT_THAT(ids(statistics.finish(1, 0.0)), ElementsAre(1));
}

TEST(FeatureStatistics, NoPromptsGiveNoFeatures) {
  EXPECT_TRUE(FeatureStatistics(3, 0.0f).finish(0, 0.0).empty());
}

TEST(FeatureStatistics, ANegativeActivationThresholdCountsZeros) {
  FeatureStatistics statistics(1, -1.0f);
  statistics.add(0, view({0.0f, 3.0f}, 1));
  const auto features = statistics.finish(2, 1.0);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].num_prompts, 2u);
  EXPECT_EQ(features[0].activation_mean, 1.5f);
}

TEST(FeatureStatistics, OrderIsMeanDescendingThenFeatureAscending) {
  FeatureStatistics statistics(4, 0.0f);
  statistics.add(0, view({1.0f, 3.0f, 1.0f, 2.0f}, 4));
  EXPECT_THAT(ids(statistics.finish(1, 0.5)), ElementsAre(1, 3, 0, 2));
}

TEST(FeatureStatistics, MeansThatAreWrittenAlikeAreOrderedByFeature) {
  // The double means differ, the float32 ones that the CSV shows do not.
  FeatureStatistics statistics(2, 0.0f);
  statistics.add(0, view({1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0000001f, 1.0f, 1.0f}, 2));
  EXPECT_THAT(ids(statistics.finish(4, 0.0)), ElementsAre(0, 1));
}

TEST(FeatureStatistics, BlocksOfFeatureRangesAndStridedRowsAddUpLikeOneBlock) {
  const std::vector<float> all = {1, 0, 3, 4, 0, 6, 7, 8, 0, 1, 2, 3};  // [3, 4]
  FeatureStatistics whole(4, 0.5f);
  whole.add(0, view(all, 4));
  FeatureStatistics cut(4, 0.5f);
  cut.add(0, {all.data(), 1, 2, 4});
  cut.add(2, {all.data() + 2, 3, 2, 4});
  cut.add(0, {all.data() + 4, 2, 2, 4});
  const auto expected = whole.finish(3, 0.0);
  const auto found = cut.finish(3, 0.0);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].feature_id, expected[i].feature_id);
    EXPECT_EQ(found[i].activation_mean, expected[i].activation_mean);
    EXPECT_EQ(found[i].activation_max, expected[i].activation_max);
    EXPECT_EQ(found[i].activation_min, expected[i].activation_min);
    EXPECT_EQ(found[i].num_prompts, expected[i].num_prompts);
  }
}

/// Statistics whose feature i is active on i + 1 of `prompts` prompts.
FeatureStatistics staircase(std::size_t prompts) {
  std::vector<float> rows(prompts * prompts);
  for (std::size_t p = 0; p < prompts; ++p) {
    for (std::size_t f = p; f < prompts; ++f) rows[p * prompts + f] = 1.0f;
  }
  FeatureStatistics statistics(prompts, 0.01f);
  statistics.add(0, view(rows, prompts));
  return statistics;
}

TEST(UniversalThreshold, TheUsersDecimalIsMetExactlyNotItsDouble) {
  // The double of 0.3 lies below 3/10, that of 0.1 above 1/10; both must be met by the fraction itself.
  EXPECT_THAT(ids(staircase(10).finish(10, 0.9)), ElementsAre(8, 9));
  EXPECT_EQ(ids(staircase(10).finish(10, 0.3)).front(), 2);
  EXPECT_EQ(ids(staircase(10).finish(10, 0.1)).front(), 0);
  EXPECT_EQ(ids(staircase(10).finish(10, 0.7)).front(), 6);
}

class DecimalThresholds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(DecimalThresholds, DecideAsIntegerArithmeticForEveryHundredthAndThousandth) {
  const std::size_t prompts = GetParam();
  const FeatureStatistics statistics = staircase(prompts);
  for (const std::size_t scale : {100u, 1000u}) {
    for (std::size_t n = 0; n <= scale; ++n) {
      const std::size_t digits = scale == 100 ? 2 : 3;
      std::string fraction = std::to_string(n % scale);
      fraction.insert(0, digits - fraction.size(), '0');
      const double threshold = std::stod(std::to_string(n / scale) + "." + fraction);
      // Features 0 … prompts-1 are active on 1 … prompts prompts: the expected count is the number
      // of k in 1 … prompts with scale · k ≥ n · prompts.
      const std::size_t first = std::max<std::size_t>(1, (n * prompts + scale - 1) / scale);
      EXPECT_EQ(statistics.finish(prompts, threshold).size(), prompts - first + 1)
          << n << "/" << scale << " of " << prompts;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Totals, DecimalThresholds,
                         ::testing::Values(1, 2, 3, 7, 10, 20, 30, 49, 60, 70, 90, 99, 100, 140, 200, 300));

}  // namespace
}  // namespace saescope
