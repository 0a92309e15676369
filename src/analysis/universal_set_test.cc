#include "analysis/universal_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

using ::testing::ElementsAre;

TEST(UniversalSet, TablesComeInTheOrderOfTheCsvWithLayersAsStrings) {
  UniversalSet set(0.01f);
  set.at({"qwen", "1", 11}, "asst", 1);
  set.at({"llama", "1", 9}, "asst", 1);
  set.at({"llama", "1", 11}, "newline", 1);
  set.at({"llama", "1", 11}, "asst", 1);
  std::vector<std::string> order;
  for (const UniversalTable& table : set.finish({{"llama", 1}, {"qwen", 1}}, 0.3)) {
    order.push_back(table.source.name() + " " + table.token);
  }
  EXPECT_THAT(order, ElementsAre("llama_trainer1_layer11 asst", "llama_trainer1_layer11 newline",
                                 "llama_trainer1_layer9 asst", "qwen_trainer1_layer11 asst"));
}

TEST(UniversalSet, StatisticsOfASourceAndTokenAreKeptApartAndGrow) {
  UniversalSet set(0.01f);
  const Source source{"m", "1", 0};
  const std::vector<float> row = {1.0f, 0.0f};
  set.at(source, "asst", 2).add(0, {row.data(), 1, 2, 2});
  set.at(source, "asst", 2).add(0, {row.data(), 1, 2, 2});
  set.at(source, "newline", 2).add(0, {row.data() + 1, 1, 1, 1});
  const auto tables = set.finish({{"m", 2}}, 1.0);
  ASSERT_EQ(tables.size(), 2u);
  ASSERT_EQ(tables[0].features.size(), 1u);
  EXPECT_EQ(tables[0].features[0].num_prompts, 2u);
  EXPECT_TRUE(tables[1].features.empty());
}

TEST(UniversalSet, EachModelsFractionIsOfItsOwnPrompts) {
  // A prompt may be too long for one model alone and left out there.
  UniversalSet set(0.01f);
  const float active = 1.0f;
  for (const char* model : {"a", "b"}) set.at({model, "1", 0}, "asst", 1).add(0, {&active, 1, 1, 1});
  const auto tables = set.finish({{"a", 1}, {"b", 2}}, 0.6);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].features.size(), 1u);
  EXPECT_TRUE(tables[1].features.empty());
}

}  // namespace
}  // namespace saescope
