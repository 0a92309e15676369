#include "hub/http_headers.h"

#include <gmock/gmock.h>

namespace saescope {
namespace {

TEST(HttpHeaders, NamesHaveNoCaseAndValuesNoSpaceAround) {
  HttpHeaders headers;
  EXPECT_TRUE(headers.add_line("X-Repo-Commit: \t abc \r\n"));
  EXPECT_TRUE(headers.add_line("ETag:\"x:y\"\r\n"));
  EXPECT_TRUE(headers.add_line("no colon\r\n"));
  EXPECT_EQ(headers.get("x-repo-commit"), "abc");
  EXPECT_EQ(headers.get("etag"), "\"x:y\"");
  EXPECT_EQ(headers.get("location"), std::nullopt);
}

TEST(HttpHeaders, ARepeatedFieldKeepsItsFirstValue) {
  HttpHeaders headers;
  headers.add_line("ETag: first");
  headers.add_line("etag: second");
  EXPECT_EQ(headers.get("etag"), "first");
}

TEST(HttpHeaders, AreBounded) {
  HttpHeaders headers;
  EXPECT_TRUE(headers.add_line("A: " + std::string(HttpHeaders::kMaxBytes - 3, 'x')));
  EXPECT_FALSE(headers.add_line("B"));
}

TEST(HttpHeaders, ContentRange) {
  const auto range = parse_content_range("bytes 100-199/18446744073709551615");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 100U);
  EXPECT_EQ(range->last, 199U);
  EXPECT_EQ(range->size, 18446744073709551615U);
  for (const char* bad : {"", "bytes", "bytes 1-2/*", "bytes */5", "bytes 3-2/9", "bytes 0-9/9",
                          "items 0-1/2", "bytes 0-1/99999999999999999999", "bytes -1-2/3", "bytes 1/2-3"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
}

TEST(HttpHeaders, DecimalNumbersAreDigitsOnly) {
  EXPECT_EQ(parse_decimal("0017"), 17U);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616"}) {
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
  }
}

TEST(HttpHeaders, RetryAfterIsSecondsOrADate) {
  using std::chrono::seconds;
  constexpr std::time_t kNow = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("soon", kNow), std::nullopt);
  EXPECT_LT(parse_retry_after("18446744073709551615", kNow), seconds(400L * 24 * 3600));
}

}  // namespace
}  // namespace saescope
