#include "plan/model_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

using ::testing::ElementsAre;

ModelEntry entry() {
  ModelEntry entry;
  entry.name = "m";
  entry.sae_path = "layer_{layer}/{trainer}";
  entry.trainer = "32x";
  entry.layers = {15, 9};
  entry.tokens = {{"newline", "\n"}, {"asst", "assistant"}};
  return entry;
}

TEST(PlanAllFeatures, CoversTheEntrysLayersAndTokenTypesInTheOrderOfTheOutputs) {
  const ModelPlan plan = plan_all_features(entry());
  ASSERT_EQ(plan.layers.size(), 2u);
  EXPECT_EQ(plan.layers[0].layer, 9);
  EXPECT_EQ(plan.layer_count(), 16u);
  const SourcePlan& source = plan.layers[1].sources.at(0);
  EXPECT_EQ(source.source.name(), "m_trainer32x_layer15");
  EXPECT_EQ(source.sae_folder, "layer_15/32x");
  EXPECT_TRUE(source.universal);
  EXPECT_EQ(source.tokens.at(0).token.name, "asst");
  EXPECT_EQ(source.tokens.at(1).token.name, "newline");
}

TEST(ModelPlan, TokensAreThoseThatSomeSourceReadsInTheEntrysOrder) {
  ModelPlan plan = plan_all_features(entry());
  EXPECT_THAT(plan.tokens(), ElementsAre(entry().tokens[0], entry().tokens[1]));
  for (LayerPlan& layer : plan.layers) layer.sources.at(0).tokens.pop_back();
  EXPECT_THAT(plan.tokens(), ElementsAre(entry().tokens[1]));
}

}  // namespace
}  // namespace saescope
