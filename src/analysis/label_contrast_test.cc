#include "analysis/label_contrast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "analysis/labels.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;

/// Three labels a, b and c with 4, 4 and 2 prompts.
const std::vector<uint32_t> kLabelOfPrompt = {0, 1, 0, 1, 2, 0, 1, 2, 0, 1};
const std::vector<uint64_t> kPromptsPerLabel = {4, 4, 2};

LabelStatistics statistics_of(const std::vector<std::vector<float>>& columns) {
  const std::size_t prompts = kLabelOfPrompt.size();
  LabelStatistics statistics(columns.size(), 3, kLabelOfPrompt, 0.5f);
  std::vector<std::size_t> indices(prompts);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  for (std::size_t c = 0; c < columns.size(); ++c)
    statistics.add(c, indices, {columns[c].data(), prompts, 1, 1});
  return statistics;
}

const std::vector<float> kOnA = {2, 0, 3, 0, 0, 1, 0, 0, 2, 0};
const std::vector<float> kOnBAndC = {0, 1, 0, 1, 1, 0, 1, 1, 0, 1};
const std::vector<float> kNever(10, 0.5f);  // equal to the threshold
const std::vector<float> kEverywhere(10, 1.0f);

TEST(LabelStatistics, CountsActivePromptsAndSumsAllOfThem) {
  const LabelStatistics statistics = statistics_of({kOnA, kNever});
  EXPECT_EQ(statistics.count(0, 0), 4u);
  EXPECT_EQ(statistics.sum(0, 0), 8.0);
  EXPECT_EQ(statistics.count(1, 0), 0u);
  EXPECT_EQ(statistics.count(0, 1), 0u);
  EXPECT_EQ(statistics.sum(2, 1), 1.0);
}

TEST(LabelContrast, EachLabelAgainstTheRest) {
  const std::vector<LabelPair> pairs = {{0, std::nullopt}};
  const auto rows = contrast_labels(statistics_of({kOnA}), {}, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].rate_label, 1.0);
  EXPECT_EQ(rows[0].rate_against, 0.0);
  EXPECT_EQ(rows[0].rate_difference, 1.0);
  EXPECT_EQ(rows[0].mean_label, 2.0);
  EXPECT_EQ(rows[0].mean_against, 0.0);
  EXPECT_TRUE(std::isinf(rows[0].odds_ratio));
  EXPECT_NEAR(rows[0].p_value, 1.0 / 210, 1e-15);  // one of the C(10, 4) tables
}

TEST(LabelContrast, OnePairLeavesOutTheOtherLabels) {
  const std::vector<LabelPair> pairs = {{2, 0}};
  const auto rows = contrast_labels(statistics_of({kOnBAndC}), {}, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].rate_label, 1.0);
  EXPECT_EQ(rows[0].rate_against, 0.0);
  EXPECT_NEAR(rows[0].p_value, 1.0 / 15, 1e-15);
}

TEST(LabelContrast, TheRestIsAddedUpSoThatASmallOneKeepsItsDigits) {
  std::vector<float> column(10, 0.0f);
  column[0] = 1e30f;  // label a
  column[1] = 1.0f;   // label b
  const std::vector<LabelPair> pairs = {{0, std::nullopt}};
  const auto rows = contrast_labels(statistics_of({column}), {}, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].mean_against, 1.0 / 6);
}

TEST(LabelContrast, FeaturesThatAreNeverActiveAreNoTests) {
  const std::vector<LabelPair> pairs = {{0, std::nullopt}};
  const auto alone = contrast_labels(statistics_of({kOnA}), {}, kPromptsPerLabel, pairs, 1.0);
  const auto beside =
      contrast_labels(statistics_of({kNever, kOnA, kNever}), {}, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(beside.size(), 1u);
  EXPECT_EQ(beside[0].feature_id, 1);
  EXPECT_EQ(beside[0].q_value, alone[0].q_value);
}

TEST(LabelContrast, QValuesAreOverAllFeaturesAndPairsAndCutTheRows) {
  const std::vector<LabelPair> pairs = {{0, std::nullopt}, {1, std::nullopt}};
  const auto all = contrast_labels(statistics_of({kEverywhere, kOnA}), {}, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_NEAR(all[0].q_value, 4.0 / 210, 1e-15);
  const auto cut = contrast_labels(statistics_of({kEverywhere, kOnA}), {}, kPromptsPerLabel, pairs, 0.05);
  ASSERT_EQ(cut.size(), 1u);
  EXPECT_EQ(cut[0].feature_id, 1);
}

TEST(LabelContrast, RowsComeByLabelThenQThenDifferenceThenFeature) {
  const std::vector<LabelPair> pairs = {{1, std::nullopt}, {0, std::nullopt}};
  const auto rows =
      contrast_labels(statistics_of({kEverywhere, kOnBAndC, kOnA, kOnA}), {}, kPromptsPerLabel, pairs, 1.0);
  std::vector<std::pair<std::size_t, int64_t>> order;
  for (const ContrastRow& row : rows) order.emplace_back(row.pair.label, row.feature_id);
  using P = std::pair<std::size_t, int64_t>;
  EXPECT_THAT(order, ElementsAre(P{0, 1}, P{0, 2}, P{0, 3}, P{0, 0}, P{1, 1}, P{1, 2}, P{1, 3}, P{1, 0}));
}

TEST(LabelContrast, ChosenFeaturesHaveTheirIdsWhichDecideBetweenEquals) {
  const std::vector<LabelPair> pairs = {{0, std::nullopt}};
  const std::vector<int64_t> ids = {41, 40};
  const auto rows = contrast_labels(statistics_of({kOnA, kOnA}), ids, kPromptsPerLabel, pairs, 1.0);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].feature_id, 40);
  EXPECT_EQ(rows[1].feature_id, 41);
}

TEST(LabelContrast, AGroupWithoutPromptsIsNotCompared) {
  const std::vector<LabelPair> pairs = {{0, 2}};
  const std::vector<uint64_t> without_c = {4, 4, 0};
  EXPECT_TRUE(contrast_labels(statistics_of({kOnA}), {}, without_c, pairs, 1.0).empty());
}

TEST(BenjaminiHochberg, EqualsStatsmodelsWithTiesZeroAndOne) {
  std::ifstream file(SAESCOPE_SOURCE_DIR "/tests/goldens/contrast/fdr.json");
  for (const auto& family : nlohmann::json::parse(file)) {
    const std::vector<double> p_values = family["p_values"];
    const std::vector<double> expected = family["q_values"];
    const std::vector<double> q_values = benjamini_hochberg(p_values);
    ASSERT_EQ(q_values.size(), expected.size());
    for (std::size_t i = 0; i < q_values.size(); ++i) EXPECT_DOUBLE_EQ(q_values[i], expected[i]);
  }
}

TEST(Labels, AreDistinctAscendingAndFoundForEveryPrompt) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  prompts.add("one", "b", 1);
  prompts.add("two", "", 2);
  prompts.add("three", "b", 3);
  const Labels labels(prompts);
  EXPECT_THAT(labels.names(), ElementsAre("", "b"));
  EXPECT_THAT(labels.of_prompts(), ElementsAre(1u, 0u, 1u));
  EXPECT_EQ(labels.find("c"), std::nullopt);
}

}  // namespace
}  // namespace saescope
