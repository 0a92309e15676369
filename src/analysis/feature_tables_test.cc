#include "analysis/feature_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

const StatisticsSettings kStatisticsAlone = {.activation_threshold = 0.01f};
constexpr std::array<std::size_t, 2> kPrompts = {0, 1};

std::span<const std::size_t> first_prompts(std::size_t count) { return std::span(kPrompts).first(count); }

TEST(FeatureTables, TablesComeInTheOrderOfTheCsvWithLayersAsStrings) {
  FeatureTables tables;
  tables.add({{"qwen", "1", 11}, "asst", IndexRange{0, 1}, kStatisticsAlone});
  tables.add({{"llama", "1", 9}, "asst", IndexRange{0, 1}, kStatisticsAlone});
  tables.add({{"llama", "1", 11}, "newline", IndexRange{0, 1}, kStatisticsAlone});
  tables.add({{"llama", "1", 11}, "asst", IndexRange{0, 1}, kStatisticsAlone});
  std::vector<std::string> order;
  tables.for_each(
      [&](const FeatureTable& table) { order.push_back(table.source().name() + " " + table.token()); });
  EXPECT_THAT(order, ElementsAre("llama_trainer1_layer11 asst", "llama_trainer1_layer11 newline",
                                 "llama_trainer1_layer9 asst", "qwen_trainer1_layer11 asst"));
}

TEST(FeatureTables, StatisticsOfASourceAndTokenAreKeptApartAndGrow) {
  FeatureTables tables;
  const Source source{"m", "1", 0};
  const std::vector<float> row = {1.0f, 0.0f};
  FeatureTable& asst = tables.add({source, "asst", IndexRange{0, 2}, kStatisticsAlone});
  FeatureTable& newline = tables.add({source, "newline", IndexRange{0, 2}, kStatisticsAlone});
  asst.add(0, first_prompts(1), {row.data(), 1, 2, 2});
  asst.add(0, first_prompts(1), {row.data(), 1, 2, 2});
  newline.add(0, first_prompts(1), {row.data() + 1, 1, 1, 1});
  const auto features = tables.at(source, "asst").statistics().finish(2, 1.0);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].num_prompts, 2u);
  EXPECT_TRUE(tables.at(source, "newline").statistics().finish(2, 1.0).empty());
}

TEST(FeatureTable, ChosenFeaturesKeepTheirIds) {
  const FeatureTable chosen({"m", "1", 0}, "asst", std::vector<int64_t>{77, 5}, kStatisticsAlone);
  EXPECT_FALSE(chosen.all_features());
  EXPECT_EQ(chosen.feature_id(0), 77);
  EXPECT_EQ(chosen.feature_id(1), 5);
  EXPECT_EQ(FeatureTable({"m", "1", 1}, "asst", IndexRange{0, 2}, kStatisticsAlone).feature_id(1), 1);
  EXPECT_EQ(FeatureTable({"m", "1", 1}, "asst", IndexRange{4, 6}, kStatisticsAlone).feature_id(1), 5);
}

std::shared_ptr<const Labels> labels_of(std::initializer_list<const char*> labels) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  std::size_t line = 0;
  for (const char* label : labels) prompts.add("text", label, ++line);
  return std::make_shared<const Labels>(prompts);
}

/// A table of five features on two prompts, made of the features in `range`.
FeatureTable table_of(IndexRange range) {
  constexpr std::array<float, 10> kActivations = {0, 1, 2, 0, 5, 3, 0, 1, 0, 4};  // [2, 5]
  FeatureTable table({"m", "1", 0}, "asst", range,
                     {.activation_threshold = 0.5f, .labels = labels_of({"b", "a"}), .details = true});
  table.add(0, first_prompts(2), {kActivations.data() + range.begin, 2, range.size(), 5});
  return table;
}

TEST(FeatureTable, RangesJoinedInOrderAreTheTableOfTheWhole) {
  const FeatureTable whole = table_of({0, 5});
  FeatureTable joined = table_of({0, 2});
  joined.append(table_of({2, 3}));
  joined.append(table_of({3, 5}));
  ASSERT_EQ(joined.statistics().features(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(joined.feature_id(i), whole.feature_id(i));
    EXPECT_EQ(joined.statistics().feature(i), whole.statistics().feature(i));
    for (std::size_t label = 0; label < 2; ++label) {
      EXPECT_EQ(joined.labels()->count(label, i), whole.labels()->count(label, i));
      EXPECT_EQ(joined.labels()->sum(label, i), whole.labels()->sum(label, i));
    }
    EXPECT_THAT(joined.details()->distribution(i), ElementsAreArray(whole.details()->distribution(i)));
    EXPECT_THAT(joined.details()->strongest(i), ElementsAreArray(whole.details()->strongest(i)));
  }
  EXPECT_EQ(joined.statistics().finish(2, 0.0), whole.statistics().finish(2, 0.0));
}

/// Six prompts of two labels and five features: one is never active, one always, one at the threshold.
constexpr std::array<float, 30> kSixPrompts = {0, 1, 2,    0, 5, 0, 1,     0, 0.5f, 4, 0, 3, 0.1f, 0, 0,
                                               0, 2, 0.5f, 0, 7, 0, 1e-6f, 0, 0.7f, 0, 0, 1, 2.5f, 0, 1};

/// @param in_pieces of prompts @param sparse whether what is not 0 is added, and not the matrix
FeatureTable table_of_six(float threshold, bool in_pieces, bool sparse) {
  FeatureTable table({"m", "1", 0}, "asst", IndexRange{0, 5},
                     {.activation_threshold = threshold,
                      .labels = labels_of({"b", "a", "a", "b", "a", "b"}),
                      .details = true});
  std::vector<MatrixEntry> entries;
  for (uint32_t i = 0; i < kSixPrompts.size(); ++i) {
    if (kSixPrompts[i] != 0) entries.push_back({i / 5, i % 5, kSixPrompts[i]});
  }
  const MatrixView<const float> dense = {kSixPrompts.data(), 6, 5, 5};
  const SparseMatrixView listed = {entries, 6, 5};
  constexpr std::array<std::size_t, 6> kIndices = {0, 1, 2, 3, 4, 5};
  for (std::size_t first = 0; first < 6; first += in_pieces ? 2 : 6) {
    const std::size_t count = in_pieces ? 2 : 6;
    const auto prompts = std::span(kIndices).subspan(first, count);
    if (sparse) {
      table.add(0, prompts, listed.rows_from(first, count));
    } else {
      table.add(0, prompts, dense.rows_from(first, count));
    }
  }
  return table;
}

TEST(FeatureTable, WhatIsNotZeroGivesTheBitsOfTheWholeMatrixAtAnyThreshold) {
  for (const float threshold : {0.5f, 0.0f, -0.25f}) {
    for (const bool in_pieces : {false, true}) {
      SCOPED_TRACE(testing::Message() << threshold << (in_pieces ? " in pieces" : ""));
      const FeatureTable expected = table_of_six(threshold, false, false);
      const FeatureTable actual = table_of_six(threshold, in_pieces, true);
      for (std::size_t i = 0; i < 5; ++i) {
        SCOPED_TRACE(i);
        EXPECT_EQ(actual.statistics().feature(i), expected.statistics().feature(i));
        for (std::size_t label = 0; label < 2; ++label) {
          EXPECT_EQ(actual.labels()->count(label, i), expected.labels()->count(label, i));
          EXPECT_EQ(actual.labels()->sum(label, i), expected.labels()->sum(label, i));
        }
        EXPECT_THAT(actual.details()->distribution(i), ElementsAreArray(expected.details()->distribution(i)));
        EXPECT_THAT(actual.details()->strongest(i), ElementsAreArray(expected.details()->strongest(i)));
      }
    }
  }
}

TEST(FeatureTable, LabelsAndDetailsAreGatheredWhereTheyAreAskedFor) {
  FeatureTable table({"m", "1", 0}, "asst", IndexRange{0, 1},
                     {.activation_threshold = 0.01f, .labels = labels_of({"b", "a"}), .details = true});
  const std::vector<float> column = {1.0f, 3.0f};
  table.add(0, first_prompts(2), {column.data(), 2, 1, 1});
  ASSERT_NE(table.labels(), nullptr);
  ASSERT_NE(table.details(), nullptr);
  EXPECT_EQ(table.labels()->sum(0, 0), 3.0);  // label a, the second prompt
  EXPECT_EQ(table.details()->strongest(0)[0].prompt_idx, 1u);
  EXPECT_EQ(FeatureTable({"m", "1", 0}, "asst", IndexRange{0, 1}, kStatisticsAlone).labels(), nullptr);
}

TEST(FeatureTable, ManyLabelsAreOneGroupInTheDetails) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  for (std::size_t i = 0; i <= StatisticsSettings::kMostGroups; ++i) {
    prompts.add("text", "l" + std::to_string(i), i + 1);
  }
  const FeatureTable table(
      {"m", "1", 0}, "asst", IndexRange{0, 1},
      {.activation_threshold = 0.01f, .labels = std::make_shared<const Labels>(prompts), .details = true});
  EXPECT_EQ(table.details()->groups(), 1u);
}

}  // namespace
}  // namespace saescope
