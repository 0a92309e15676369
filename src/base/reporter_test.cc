#include "base/reporter.h"

#include <gtest/gtest.h>

#include <string>

namespace saescope {
namespace {

using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

TEST(Reporter, BytesAreShownInBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(format_bytes(uint64_t{5} << 52), "20480.0 TiB");
}

TEST(Reporter, TimesAreShownAsPeopleSayThem) {
  EXPECT_EQ(format_seconds(0.44), "0.4 s");
  EXPECT_EQ(format_seconds(192), "3 min 12 s");
  EXPECT_EQ(format_seconds(119.7), "2 min 0 s");
  EXPECT_EQ(format_seconds(7260), "2 h 1 min");
}

TEST(Reporter, AWarningIsShownOnce) {
  ConsoleReporter reporter(ProgressMode::kPlain, false);
  CaptureStderr();
  reporter.warn("low memory");
  reporter.warn("low memory");
  reporter.warn("other");
  EXPECT_EQ(GetCapturedStderr(), "warning: low memory\nwarning: other\n");
}

TEST(Reporter, QuietShowsWarningsAlone) {
  ConsoleReporter reporter(ProgressMode::kPlain, true);
  CaptureStderr();
  reporter.info("hello");
  reporter.begin_stage("load", 10, ProgressUnit::kItems);
  reporter.update(10);
  reporter.end_stage();
  reporter.warn("careful");
  EXPECT_EQ(GetCapturedStderr(), "warning: careful\n");
}

TEST(Reporter, AStageEndsWithItsAmount) {
  ConsoleReporter reporter(ProgressMode::kPlain, false);
  CaptureStderr();
  reporter.begin_stage("download", 2048, ProgressUnit::kBytes);
  reporter.update(2048);
  reporter.end_stage();
  EXPECT_EQ(GetCapturedStderr().substr(0, 21), "download: 2.0 KiB in ");
}

TEST(Reporter, SilentKeepsWarnings) {
  SilentReporter reporter;
  CaptureStderr();
  reporter.info("hello");
  reporter.warn("careful");
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_TRUE(reporter.warnings.contains("careful"));
}

}  // namespace
}  // namespace saescope
