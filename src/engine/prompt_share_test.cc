#include "engine/prompt_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "model/prefix_tree.h"

namespace saescope {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

std::vector<std::size_t> indices(const TokenizedPrompts& prompts) {
  std::vector<std::size_t> all;
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    all.push_back(prompt.current().prompt_idx);
  }
  return all;
}

/// Prompts of random lengths behind one head, as a chat template makes them, each of them `copies` times.
TokenizedPrompts random_prompts(std::size_t distinct, std::size_t copies) {
  std::mt19937 random(3);
  std::vector<std::vector<int32_t>> texts;
  for (std::size_t i = 0; i < distinct; ++i) {
    std::vector<int32_t> ids = {1, 2, 3, 4, 5, static_cast<int32_t>(100 + i)};
    const int length = std::uniform_int_distribution(1, i % 10 == 0 ? 300 : 30)(random);
    for (int t = 0; t < length; ++t) ids.push_back(std::uniform_int_distribution(10, 50)(random));
    texts.push_back(std::move(ids));
  }
  TokenizedPrompts prompts;
  for (std::size_t i = 0; i < distinct * copies; ++i) prompts.add({i, texts[i % distinct], {-1}});
  return prompts;
}

std::size_t distinct_tokens(const TokenizedPrompts& prompts) {
  PrefixTree tree;
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    tree.add(prompt.current().ids);
  }
  return tree.size();
}

TEST(PromptShare, EveryDistinctPromptIsOneTasksAndInOrder) {
  const TokenizedPrompts prompts = random_prompts(40, 3);
  for (const std::size_t tasks : {1, 2, 3, 7, 40, 100}) {
    std::vector<std::size_t> joined;
    for (std::size_t i = 0; i < tasks; ++i) {
      const auto share = indices(share_of_prompts(prompts, {i, tasks}));
      joined.insert(joined.end(), share.begin(), share.end());
    }
    std::vector<std::size_t> expected(40);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_THAT(joined, ElementsAreArray(expected)) << tasks;
  }
}

/// It costs nothing behind the prompt that it is the beginning of, but its last token is a tap of its own.
TEST(PromptShare, APromptThatIsTheBeginningOfAnotherBelongsToATaskThoughItStandsLast) {
  TokenizedPrompts prompts;
  prompts.add({0, {1, 2, 3, 4}, {3}});
  prompts.add({1, {1, 2}, {1}});
  for (const std::size_t tasks : {1, 2, 3}) {
    std::size_t owners = 0;
    for (std::size_t i = 0; i < tasks; ++i) {
      const auto share = indices(share_of_prompts(prompts, {i, tasks}));
      owners += static_cast<std::size_t>(std::count(share.begin(), share.end(), 1u));
    }
    EXPECT_EQ(owners, 1u) << tasks;
  }
}

TEST(PromptShare, TasksBeyondThePromptsHaveNothingToDo) {
  TokenizedPrompts one;
  one.add({0, {1, 2, 3}, {2}});
  std::size_t prompts = 0;
  for (std::size_t i = 0; i < 5; ++i) prompts += share_of_prompts(one, {i, 5}).size();
  EXPECT_EQ(prompts, 1u);
  EXPECT_THAT(indices(share_of_prompts(TokenizedPrompts(), {0, 2})), IsEmpty());
}

/// Lengths differ by a factor of ten, and half of the prompts are copies: what is computed is what counts.
TEST(PromptShare, TheLargestIsAtMostATenthAboveTheMeanInTokensThatAreComputed) {
  const TokenizedPrompts prompts = random_prompts(4000, 2);
  for (const std::size_t tasks : {2, 8, 32}) {
    std::vector<double> work;
    for (std::size_t i = 0; i < tasks; ++i) {
      work.push_back(static_cast<double>(distinct_tokens(share_of_prompts(prompts, {i, tasks}))));
    }
    const double mean = std::accumulate(work.begin(), work.end(), 0.0) / static_cast<double>(tasks);
    EXPECT_LE(*std::max_element(work.begin(), work.end()), 1.1 * mean) << tasks;
  }
}

}  // namespace
}  // namespace saescope
