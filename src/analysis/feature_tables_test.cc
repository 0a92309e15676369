#include "analysis/feature_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

using ::testing::ElementsAre;

constexpr Gathering kStatisticsAlone = {.activation_threshold = 0.01f};
constexpr std::array<std::size_t, 2> kPrompts = {0, 1};

std::span<const std::size_t> first_prompts(std::size_t count) { return std::span(kPrompts).first(count); }

TEST(FeatureTables, TablesComeInTheOrderOfTheCsvWithLayersAsStrings) {
  FeatureTables tables(kStatisticsAlone);
  tables.at({"qwen", "1", 11}, "asst", 1);
  tables.at({"llama", "1", 9}, "asst", 1);
  tables.at({"llama", "1", 11}, "newline", 1);
  tables.at({"llama", "1", 11}, "asst", 1);
  std::vector<std::string> order;
  tables.for_each(
      [&](const FeatureTable& table) { order.push_back(table.source().name() + " " + table.token()); });
  EXPECT_THAT(order, ElementsAre("llama_trainer1_layer11 asst", "llama_trainer1_layer11 newline",
                                 "llama_trainer1_layer9 asst", "qwen_trainer1_layer11 asst"));
}

TEST(FeatureTables, StatisticsOfASourceAndTokenAreKeptApartAndGrow) {
  FeatureTables tables(kStatisticsAlone);
  const Source source{"m", "1", 0};
  const std::vector<float> row = {1.0f, 0.0f};
  tables.at(source, "asst", 2).add(0, first_prompts(1), {row.data(), 1, 2, 2});
  tables.at(source, "asst", 2).add(0, first_prompts(1), {row.data(), 1, 2, 2});
  tables.at(source, "newline", 2).add(0, first_prompts(1), {row.data() + 1, 1, 1, 1});
  const auto features = tables.at(source, "asst", 2).statistics().finish(2, 1.0);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].num_prompts, 2u);
  EXPECT_TRUE(tables.at(source, "newline", 2).statistics().finish(2, 1.0).empty());
}

TEST(FeatureTables, ChosenFeaturesKeepTheirIds) {
  FeatureTables tables(kStatisticsAlone);
  const FeatureTable& chosen = tables.at({"m", "1", 0}, "asst", 2, {77, 5});
  EXPECT_FALSE(chosen.all_features());
  EXPECT_EQ(chosen.feature_id(0), 77);
  EXPECT_EQ(chosen.feature_id(1), 5);
  EXPECT_EQ(tables.at({"m", "1", 1}, "asst", 2).feature_id(1), 1);
}

TEST(FeatureTables, LabelsAndDetailsAreGatheredWhereTheyAreAskedFor) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  prompts.add("one", "b", 1);
  prompts.add("two", "a", 2);
  const Labels labels(prompts);
  FeatureTables tables({.activation_threshold = 0.01f, .labels = &labels, .details = true});
  FeatureTable& table = tables.at({"m", "1", 0}, "asst", 1);
  const std::vector<float> column = {1.0f, 3.0f};
  table.add(0, first_prompts(2), {column.data(), 2, 1, 1});
  ASSERT_NE(table.labels(), nullptr);
  ASSERT_NE(table.details(), nullptr);
  EXPECT_EQ(table.labels()->sum(0, 0), 3.0);  // label a, the second prompt
  EXPECT_EQ(table.details()->strongest(0)[0].prompt_idx, 1u);
  EXPECT_EQ(FeatureTables(kStatisticsAlone).at({"m", "1", 0}, "asst", 1).labels(), nullptr);
}

TEST(FeatureTables, ManyLabelsAreOneGroupInTheDetails) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  for (std::size_t i = 0; i <= Gathering::kMostGroups; ++i)
    prompts.add("text", "l" + std::to_string(i), i + 1);
  const Labels labels(prompts);
  FeatureTables tables({.activation_threshold = 0.01f, .labels = &labels, .details = true});
  EXPECT_EQ(tables.at({"m", "1", 0}, "asst", 1).details()->groups(), 1u);
}

}  // namespace
}  // namespace saescope
