#include "text/tokenizer/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
  std::vector<TextRange> ranges;
  Regex::from_pattern(pattern, "test").find_all(text, ranges);
  std::vector<std::string> found;
  for (const TextRange& range : ranges) found.push_back(text.substr(range.begin, range.end - range.begin));
  return found;
}

TEST(Regex, PassesOverAnEmptyMatchBehindAMatch) {
  EXPECT_THAT(matches("a*", "aab"), ElementsAre("aa", ""));
  EXPECT_THAT(matches("a*", "é"), ElementsAre("", ""));
}

TEST(Regex, CaretAndDollarMatchAtEveryLine) {
  EXPECT_THAT(matches("^.|.$", "ab\ncd"), ElementsAre("a", "b", "c", "d"));
}

TEST(Regex, RepeatedGroupsOverALongTextDoNotOverflow) {
  const std::string text(2'000'000, 'a');
  EXPECT_THAT(matches("(?:a|b)*", text), ElementsAre(text));
  EXPECT_THAT(matches("(?:a(?=a|b?)|b)+", text), ElementsAre(text));
}

TEST(Regex, FoldsCaseAsUnicodeDoes) {
  EXPECT_THAT(matches("(?i:'s)", "'S 's '\u017f"), ElementsAre("'S", "'s", "'\u017f"));
}

TEST(Regex, LiteralsAreNotPatterns) {
  std::vector<TextRange> ranges;
  Regex::from_literal("a.b", "test").find_all("axb a.b", ranges);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].begin, 4u);
}

TEST(RegexView, ReplacesYoungCharactersByOthersOfTheirLength) {
  std::string storage;
  const std::string text = "a\u1c89b\U00031350\u180e!";
  const std::string_view view = regex_view(text, storage);
  EXPECT_NE(view, text);
  EXPECT_EQ(view.size(), text.size());
  EXPECT_EQ(view.back(), '!');
  EXPECT_EQ(regex_view("plain \u4e2d", storage), "plain \u4e2d");
}

class OtherDialect : public ::testing::TestWithParam<const char*> {};

TEST_P(OtherDialect, IsRefused) {
  try {
    Regex::from_pattern(GetParam(), "the place");
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the place"));
  }
}

// What Ruby's dialect reads differently, tables of other versions, and what is broken in both.
INSTANTIATE_TEST_SUITE_P(Regex, OtherDialect,
                         ::testing::Values("\\w+", "\\bx", "\\h", "\\x41", "[a&&b]", "[a[b]]", "[[:alpha:]]",
                                           "[]a]", "(?i)a", "(?m:.)", "(?x: a)", "a{2}+", "a{2,3}?", "a{,3}",
                                           "{", "\\p{Greek}", "\\pL", "\\p{Alphabetic}", "(", "[a", "a)", "*",
                                           "\\", "\\p{L", "\u1c89"));

}  // namespace
}  // namespace saescope
