#include "base/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/atomic_file.h"
#include "base/utf8.h"

namespace saescope {
namespace {

using ::testing::EndsWith;

TEST(AppendJsonString, EscapesAsPythonsJsonDumps) {
  const auto goldens =
      nlohmann::json::parse(read_file(std::string(SAESCOPE_SOURCE_DIR) + "/tests/goldens/report/json.json"));
  for (const auto& [text, written] : goldens.get<std::vector<std::pair<std::string, std::string>>>()) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(out, written);
  }
}

TEST(ShownText, IsEscapedAndCutBetweenCharacters) {
  EXPECT_EQ(shown_text("a\x1b[31m"), "\"a\\u001b[31m\"");
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\xC3\xA4";
  const std::string cut = shown_text("x" + umlauts);
  EXPECT_THAT(cut, EndsWith("\" \xE2\x80\xA6 (201 bytes)"));
  EXPECT_EQ(find_invalid_utf8(cut), std::string::npos);
  EXPECT_LT(cut.size(), 110u);
}

}  // namespace
}  // namespace saescope
