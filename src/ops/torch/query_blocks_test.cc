#include "ops/torch/query_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace saescope {
namespace {

using ::testing::ElementsAre;

constexpr BlockShape kSmall = {.queries = 3, .keys = 4};

/// 0 … 9 in a line, then 10 … 12 behind node 4.
struct Fork {
  std::vector<int32_t> parent = {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 10, 11};
  std::vector<int32_t> position = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7};
  TreeTopology tree() const { return {parent, position}; }
};

TEST(QueryBlocks, HoldEveryQueryOnceAndOnOnePath) {
  const Fork fork;
  std::vector<int32_t> queries(fork.parent.size());
  std::iota(queries.begin(), queries.end(), 0);
  std::vector<int> times(queries.size(), 0);
  for (const QueryBlock& block : cut_queries(queries, fork.tree(), 0, kSmall)) {
    EXPECT_LE(block.count, kSmall.queries);
    const std::vector<int32_t> path = path_of(block.last_node, fork.tree());
    for (std::size_t i = block.first; i < block.first + block.count; ++i) {
      ++times[i];
      EXPECT_THAT(path, ::testing::Contains(queries[i]));
    }
  }
  EXPECT_THAT(times, ::testing::Each(1));
}

TEST(QueryBlocks, QueriesFarApartOnOnePathMeetAndThoseOfABranchDoNot) {
  const Fork fork;
  const std::vector<int32_t> queries = {1, 8, 9, 12};
  const auto blocks = cut_queries(queries, fork.tree(), 0, kSmall);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].count, 3u) << "1, 8 and 9";
  EXPECT_EQ(blocks[0].tiles, 3u);
  EXPECT_EQ(blocks[1].last_node, 12);
  EXPECT_EQ(blocks[1].tiles, 2u);
}

TEST(QueryBlocks, BeginWithTheTileOfTheFirstKeyThatTheWindowShows) {
  const Fork fork;
  const std::vector<int32_t> queries = {8, 9};
  EXPECT_EQ(cut_queries(queries, fork.tree(), 4, kSmall)[0].first_tile, 1u);  // 5 is the first key of 8
  EXPECT_EQ(cut_queries(queries, fork.tree(), 6, kSmall)[0].first_tile, 0u);  // 3 is
  EXPECT_EQ(cut_queries(queries, fork.tree(), 100, kSmall)[0].first_tile, 0u);
}

TEST(QueryBlocks, APathLeadsFromTheRootToItsNode) {
  EXPECT_THAT(path_of(11, Fork().tree()), ElementsAre(0, 1, 2, 3, 4, 10, 11));
}

}  // namespace
}  // namespace saescope
