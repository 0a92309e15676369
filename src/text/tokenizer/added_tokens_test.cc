#include "text/tokenizer/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> cut(const std::map<TokenId, AddedToken>& tokens, std::string_view text) {
  std::vector<std::string> result;
  for (const Segment& segment : AddedTokens(tokens, Normalizer()).split(text, false)) {
    result.push_back(segment.token ? "#" + std::to_string(*segment.token) : std::string(segment.text));
  }
  return result;
}

TEST(AddedTokens, TakeTheLongestAtTheLeftmostPlace) {
  const std::map<TokenId, AddedToken> tokens = {
      {1, {.content = "ab"}}, {2, {.content = "abcd"}}, {3, {.content = "bcde"}}};
  EXPECT_THAT(cut(tokens, "xabcdex"), ElementsAre("x", "#2", "ex"));
  EXPECT_THAT(cut(tokens, "abcbcde"), ElementsAre("#1", "c", "#3"));
}

TEST(AddedTokens, StripTheWhiteSpaceBesideThem) {
  const std::map<TokenId, AddedToken> tokens = {{1, {.content = "<l>", .lstrip = true}},
                                                {2, {.content = "<r>", .rstrip = true}}};
  EXPECT_THAT(cut(tokens, "a \u3000<l> b<r>\n c"), ElementsAre("a", "#1", " b", "#2", "c"));
  EXPECT_THAT(cut(tokens, "<r>  <l>"), ElementsAre("#2", "#1"));
}

TEST(AddedTokens, SingleWordsStandBetweenOtherCharacters) {
  const std::map<TokenId, AddedToken> tokens = {{1, {.content = "the", .single_word = true}}};
  EXPECT_THAT(cut(tokens, "the,the"), ElementsAre("#1", ",", "#1"));
  EXPECT_THAT(cut(tokens, "theé éthe the_"), ElementsAre("theé éthe the_"));
}

TEST(AddedTokens, MustNotCutCharacters) {
  check_added_tokens({{1, {.content = "\u00e9"}}}, "model.gguf");
  EXPECT_THROW(check_added_tokens({{1, {.content = "\xA9"}}}, "model.gguf"), InputError);
}

TEST(AddedTokens, OfNormalisedTextAreNotSoughtInTheOriginal) {
  const Normalizer nfc({NormalForm::kNfc});
  const AddedTokens added({{1, {.content = "e\u0301", .normalized = true}}}, nfc);
  EXPECT_FALSE(added.split("e\u0301", false).front().token);
  EXPECT_TRUE(added.split("\u00e9", true).front().token);
  EXPECT_EQ(added.find("e\u0301"), 1);
}

}  // namespace
}  // namespace saescope
