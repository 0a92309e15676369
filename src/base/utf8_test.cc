#include "base/utf8.h"

#include <gtest/gtest.h>

namespace saescope {
namespace {

TEST(Utf8, EveryScalarValueSurvivesEncodingAndDecoding) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    const Utf8Char decoded = decode_utf8(text, 0);
    ASSERT_EQ(decoded.code_point, c);
    ASSERT_EQ(decoded.length, text.size());
  }
}

TEST(Utf8, DecodesAtAnyPlace) {
  const std::string text = "aé日😀";
  EXPECT_EQ(decode_utf8(text, 1).code_point, U'é');
  EXPECT_EQ(decode_utf8(text, 3).length, 3u);
  EXPECT_EQ(decode_utf8(text, 6).code_point, U'😀');
  EXPECT_EQ(decode_utf8(text, text.size()).length, 0u);
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xED\xBF\xBF",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3",
                          "\xE6\x97", "\xF0\x9F\x98", "\xC3(", "\xE6(\xA5"}) {
    EXPECT_EQ(decode_utf8(bad, 0).length, 0u) << testing::PrintToString(bad);
    EXPECT_EQ(find_invalid_utf8(std::string("ok é") + bad), 5u) << testing::PrintToString(bad);
  }
}

TEST(Utf8, FindsNothingInValidText) {
  EXPECT_EQ(find_invalid_utf8(""), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("aé日😀"), std::string_view::npos);
}

TEST(CharacterStart, IsTheFirstByteOfTheCharacterOrTheTextsEnd) {
  const std::string_view text = "a\u00e9\u20acz";  // 1, 2, 3 and 1 bytes
  const std::size_t starts[] = {0, 1, 1, 3, 3, 3, 6};
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_EQ(character_start(text, i), starts[i]) << i;
  EXPECT_EQ(character_start(text, text.size()), text.size());
  EXPECT_EQ(character_start("", 0), 0u);
}

}  // namespace
}  // namespace saescope
