#include "engine/norm_watch.h"

#include <gmock/gmock.h>

namespace saescope {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> notes_of(const std::vector<float>& lengths) {
  constexpr std::size_t kHidden = 2;
  std::vector<float> rows;
  for (const float length : lengths) rows.insert(rows.end(), {0.6f * length, 0.8f * length});
  NormWatch watch;
  watch.add(
      {.layer = 5, .prompt_indices = {}, .activations = {rows.data(), lengths.size(), kHidden, kHidden}});
  return watch.notes("m");
}

TEST(NormWatch, CountsRowsThatAreFarLongerThanTheMedian) {
  EXPECT_THAT(notes_of({1, 2, 1, 50, 1.5f, 30}),
              ElementsAre(AllOf(HasSubstr("layer 5"), HasSubstr("2 of 6"))));
}

TEST(NormWatch, SaysNothingOfOrdinaryRows) {
  EXPECT_TRUE(notes_of({1, 2, 3, 9, 1, 1}).empty());
  EXPECT_TRUE(notes_of({}).empty());
}

}  // namespace
}  // namespace saescope
