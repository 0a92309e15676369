#include "output/page/page_prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"

namespace saescope {
namespace {

TEST(PagePrompts, EachPromptStandsOnceWithItsTextWhole) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  prompts.add("not shown", "a", 1);
  const std::string text(100'000, 'x');
  prompts.add(text, "b", 2);
  PagePrompts shown(prompts.size());
  EXPECT_EQ(shown.position(1), 0u);
  EXPECT_EQ(shown.position(1), 0u);
  const auto json = shown.to_json(prompts, Labels(prompts));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["idx"], 1);
  EXPECT_EQ(json[0]["label"], 1);
  EXPECT_EQ(json[0]["place"], "p.jsonl:2");
  EXPECT_EQ(json[0]["text"], text);
  EXPECT_EQ(json[0]["characters"], text.size());
}

TEST(PagePrompts, TextsAreCutBetweenCharactersWhereTheyAreTooLargeTogether) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "é€";
  for (std::size_t i = 0; i < 9; ++i) prompts.add(text, "", i + 1);
  PagePrompts shown(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) shown.position(i);
  const auto json = shown.to_json(prompts, Labels(prompts));
  const auto cut = json[8]["text"].get<std::string>();
  EXPECT_LT(cut.size(), text.size());
  EXPECT_TRUE(text.starts_with(cut));
  EXPECT_EQ(find_invalid_utf8(cut), std::string::npos);
  EXPECT_EQ(json[8]["characters"], 800'000);
}

}  // namespace
}  // namespace saescope
