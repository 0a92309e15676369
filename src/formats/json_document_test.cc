#include "formats/json_document.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "formats/format_testing.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonDocument, AMalformedOneIsRefusedWithTheFilesName) {
  const std::string error = testing::input_error([] { parse_json("{\"a\":", "config.json"); });
  EXPECT_THAT(error, HasSubstr("config.json: not valid JSON"));
}

TEST(JsonDocument, ANulByteDoesNotHideWhatFollows) {
  const std::string error = testing::input_error([] { parse_json(std::string("{}\0{", 4), "config.json"); });
  EXPECT_THAT(error, HasSubstr("a NUL byte at byte 2"));
}

TEST(JsonDocument, TheSizeIsBoundedBecauseADocumentTakesManyTimesItsText) {
  const std::string large(std::size_t{17} << 20, ' ');
  EXPECT_THAT(testing::input_error([&] { parse_json(large, "config.json"); }), HasSubstr("too large"));
}

TEST(JsonDocument, NestingIsBoundedBecauseMessagesPrintValues) {
  EXPECT_EQ(parse_json(nested(256), "config.json").size(), 1U);
  const std::string error = testing::input_error([] { parse_json(nested(100'000), "config.json"); });
  EXPECT_THAT(error, HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace saescope
