// A run over a share of the features, as one of many tasks does it: joined in order the shares are one run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/analyze.h"
#include "golden_files.h"

namespace saescope {
namespace {

using ::testing::ElementsAreArray;
using testing_support::goldens;

RunPlan plan_of(Share share) {
  ModelEntry entry;
  entry.name = "qwen";
  entry.model = (goldens() / "tiny/qwen2_bias").string();
  entry.model_is_path = true;
  entry.sae_dir = (goldens() / "pipeline/saes/qwen").string();
  entry.sae_path = "resid_post_layer_{layer}/trainer_{trainer}";
  entry.trainer = "1";
  entry.layers = {1, 2};
  entry.tokens = {{"asst", "assistant"}, {"newline", "\n"}};
  Prompts prompts;
  prompts.begin_file("prompts");
  for (const char* text : {"Hello!", "Who are you?", "Count to ten.", "Why?"}) {
    prompts.add(text, text[0] == 'W' ? "question" : "other", 1);
  }
  RunPlan plan;
  plan.prompts = std::make_shared<const Prompts>(std::move(prompts));
  plan.models = {plan_all_features(entry)};
  plan.task.share = share;
  plan.compute = {.dtype = Precision::kFp32, .batch_tokens = 40, .cache = false};
  plan.keep = {.by_label = true, .details = true};
  return plan;
}

Results run(Share share) {
  SilentProgress progress;
  const CancelToken cancel;
  const Context context = {.threads = 2, .progress = &progress, .cancel = &cancel};
  Hub hub(HubSettings{}, context);
  return analyze(plan_of(share), hub, context);
}

TEST(FeatureShares, JoinedInOrderTheyAreTheWholeRunBitByBit) {
  const Results whole = run({});
  Results joined = run({0, 3});
  joined.append(run({1, 3}));
  joined.append(run({2, 3}));
  std::size_t tables = 0;
  whole.tables.for_each([&](const FeatureTable& expected) {
    ++tables;
    SCOPED_TRACE(expected.source().name() + " " + expected.token());
    const FeatureTable& actual = joined.tables.at(expected.source(), expected.token());
    EXPECT_EQ(actual.statistics().finish(4, 0.0), expected.statistics().finish(4, 0.0));
    ASSERT_EQ(actual.statistics().features(), expected.statistics().features());
    for (std::size_t i = 0; i < expected.statistics().features(); ++i) {
      ASSERT_EQ(actual.labels()->sum(0, i), expected.labels()->sum(0, i)) << i;
      ASSERT_EQ(actual.labels()->count(1, i), expected.labels()->count(1, i)) << i;
      ASSERT_THAT(actual.details()->strongest(i), ElementsAreArray(expected.details()->strongest(i))) << i;
    }
  });
  EXPECT_EQ(tables, 4u);
}

}  // namespace
}  // namespace saescope
