#include "analysis/feature_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<uint32_t> kGroups = {0, 1, 0, 0, 0, 1};

FeatureDetails details_of(const std::vector<float>& column, std::size_t groups) {
  FeatureDetails details(1, groups, kGroups, 0.01f);
  std::vector<std::size_t> indices(column.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  details.add(0, indices, {column.data(), column.size(), 1, 1});
  return details;
}

std::vector<uint32_t> prompts_of(std::span<const StrongPrompt> strongest) {
  std::vector<uint32_t> prompts;
  for (const StrongPrompt& strong : strongest) {
    if (strong.activation > 0) prompts.push_back(strong.prompt_idx);
  }
  return prompts;
}

TEST(FeatureDetails, TheStrongestPromptsOfEachGroupDescendTheEarlierFirst) {
  const FeatureDetails details = details_of({1, 5, 2, 2, 3, 0}, 2);
  const auto strongest = details.strongest(0);
  EXPECT_THAT(prompts_of(strongest.first(3)), ElementsAre(4u, 2u, 3u));
  EXPECT_THAT(prompts_of(strongest.subspan(3)), ElementsAre(1u));
}

TEST(FeatureDetails, OneGroupTakesAllPrompts) {
  EXPECT_THAT(prompts_of(details_of({1, 5, 2, 2, 3, 0}, 1).strongest(0)), ElementsAre(1u, 4u, 2u));
}

TEST(FeatureDetails, NothingIsKeptForAFeatureThatIsNeverActive) {
  const FeatureDetails details = details_of({0, 0.01f, 0}, 2);
  EXPECT_THAT(details.strongest(0), IsEmpty());
  EXPECT_THAT(details.distribution(0), IsEmpty());
}

TEST(FeatureDetails, EveryActivePromptIsInTheBinWhoseEdgesHoldIt) {
  for (std::size_t bin = 1; bin < FeatureDetails::kBins; ++bin) {
    const float edge = FeatureDetails::lower_edge(bin);
    const FeatureDetails details = details_of({edge, std::nextafter(edge, 0.0f)}, 1);
    EXPECT_EQ(details.distribution(0)[bin], 1u) << bin;
    EXPECT_EQ(details.distribution(0)[bin - 1], 1u) << bin;
  }
  EXPECT_EQ(details_of({1e30f}, 1).distribution(0)[FeatureDetails::kBins - 1], 1u);
  EXPECT_EQ(details_of({0.0101f}, 1).distribution(0)[0], 1u);
}

}  // namespace
}  // namespace saescope
