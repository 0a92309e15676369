#include "cli/suggestion.h"

#include <gtest/gtest.h>

namespace saescope {
namespace {

const std::vector<std::string> kKnown = {"model", "sae", "sae_dir", "sae_path", "trainer", "tokens"};

TEST(ClosestWord, FindsTypingMistakes) {
  EXPECT_EQ(closest_word("modle", kKnown), "model");      // swapped
  EXPECT_EQ(closest_word("trainr", kKnown), "trainer");   // left out
  EXPECT_EQ(closest_word("tokenss", kKnown), "tokens");   // doubled
  EXPECT_EQ(closest_word("sae-dir", kKnown), "sae_dir");  // replaced
}

TEST(ClosestWord, FindsTheWordThatWasCutShort) { EXPECT_EQ(closest_word("tra", kKnown), "trainer"); }

TEST(ClosestWord, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(closest_word("layers", kKnown), "");
  EXPECT_EQ(closest_word("", kKnown), "");
  EXPECT_EQ(closest_word("model", {}), "");
  EXPECT_EQ(closest_word(std::string(1000, 'm'), kKnown), "");
}

TEST(DidYouMean, FallsBackToTheGivenHint) {
  EXPECT_EQ(did_you_mean("modle", kKnown, "other"), "did you mean model?");
  EXPECT_EQ(did_you_mean("xyz", kKnown, "other"), "other");
}

TEST(DidYouMean, KnowsWhatOtherProgramsCallItInAnyCase) {
  EXPECT_EQ(did_you_mean("GPU", {"auto", "cpu", "cuda"}, ""), "did you mean cuda?");
  EXPECT_EQ(did_you_mean("mps", {"auto", "cpu", "cuda"}, ""), "did you mean cpu?");
  EXPECT_EQ(did_you_mean("torch.bfloat16", {"bf16", "fp32"}, ""), "did you mean bf16?");
  EXPECT_EQ(did_you_mean("UNIVERSAL", {"universal", "specific"}, ""), "did you mean universal?");
}

}  // namespace
}  // namespace saescope
