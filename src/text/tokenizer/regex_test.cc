#include "text/tokenizer/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::AllOf;
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

TEST(Regex, GroupsThatCaptureAreOfNoImportance) {
  EXPECT_THAT(matches("(a)|(b)c|.", "abcd"), ElementsAre("a", "bc", "d"));
  EXPECT_THAT(matches("(ab)*", "abab c"), ElementsAre("abab", "", ""));
}

TEST(Regex, CaretAndDollarMatchAtEveryLine) {
  EXPECT_THAT(matches("^.|.$", "ab\ncd"), ElementsAre("a", "b", "c", "d"));
}

TEST(Regex, RepeatedGroupsOverALongTextDoNotOverflow) {
  const std::string text(2'000'000, 'a');
  EXPECT_THAT(matches("(?:a|b)*", text), ElementsAre(text));
  EXPECT_THAT(matches("(?:a(?=a|b?)|b)+", text), ElementsAre(text));
}

std::string error_of(const std::string& pattern, const std::string& text) {
  try {
    matches(pattern, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(Regex, PatternsThatTakeExponentialOrPolynomialTimeAreRefused) {
  const std::string text = std::string(1'000, 'a') + "b";
  EXPECT_THAT(error_of("(a+)+$", text),
              AllOf(HasSubstr("test: "), HasSubstr("too long"), HasSubstr("(a+)+$")));
  EXPECT_THAT(error_of("(?:a|a|aa)*[cd]", text), HasSubstr("too long"));
  EXPECT_THAT(error_of("a*a*a*a*[cd]", text), HasSubstr("too long"));
}

/// The patterns of Llama 3, Qwen 2 and their kind.
TEST(Regex, WordsAndRunsOfAnyLengthAreWithinTheLimits) {
  const std::string words =
      "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
      "\\s+(?!\\S)|\\s+";
  constexpr std::size_t kLong = 8'000'000;
  EXPECT_THAT(matches(words, std::string(kLong, ' ') + "a"), ElementsAre(std::string(kLong - 1, ' '), " a"));
  EXPECT_THAT(matches(words, std::string(kLong, 'a') + std::string(kLong, '!')),
              ElementsAre(std::string(kLong, 'a'), std::string(kLong, '!')));
  EXPECT_EQ(matches("\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))", std::string(5'000, '7')).size(), 1'667u);
  EXPECT_EQ(matches("\\s{2,}", std::string(1'000'000, 'a') + std::string(100'000, ' ')).size(), 1u);
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
                                           "[]a]", "(?i)a", "(*SKIP)a", "(?m:.)", "(?x: a)", "a{2}+",
                                           "a{2,3}?", "a{,3}", "{", "\\p{Greek}", "\\pL", "\\p{Alphabetic}",
                                           "(", "[a", "a)", "*", "\\", "\\p{L", "\u1c89"));

}  // namespace
}  // namespace saescope
