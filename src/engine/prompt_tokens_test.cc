#include "engine/prompt_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

TEST(TokenizedPrompts, ReturnsWhatWasAddedWhateverNeighboursShare) {
  const std::vector<PromptTokens> added = {
      {0, {1, 2, 3, 4}, {2, 3}}, {1, {1, 2, 9, 4}, {3, 2}},     // same head
      {3, {1, 2, 9, 4}, {0, 1}},                                // the same ids again
      {4, {1, 2}, {1, 0}},       {5, {1, 2, 9, 4, 5}, {4, 4}},  // a prefix of both neighbours
      {7, {8}, {0, 0}},                                         // nothing in common
  };
  TokenizedPrompts prompts;
  for (const PromptTokens& prompt : added) prompts.add(prompt);
  TokenizedPrompts::Reader reader(prompts);
  for (const PromptTokens& prompt : added) {
    ASSERT_FALSE(reader.done());
    EXPECT_EQ(reader.current().prompt_idx, prompt.prompt_idx);
    EXPECT_THAT(reader.current().ids, ElementsAreArray(prompt.ids));
    EXPECT_THAT(reader.current().taps, ElementsAreArray(prompt.taps));
    reader.advance();
  }
  EXPECT_TRUE(reader.done());
}

TEST(TokenizedPrompts, CountsTokensAsIfNothingWereShared) {
  TokenizedPrompts prompts;
  prompts.add({0, {1, 2, 3}, {2}});
  prompts.add({1, {1, 2, 3, 4, 5}, {4}});
  EXPECT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts.longest(), 5u);
  EXPECT_EQ(prompts.total_tokens(), 8u);
}

TEST(TokenizedPrompts, AReaderOfNoPromptsIsDone) {
  const TokenizedPrompts prompts;
  EXPECT_TRUE(TokenizedPrompts::Reader(prompts).done());
}

}  // namespace
}  // namespace saescope
