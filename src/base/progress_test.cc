#include "base/progress.h"

#include <gtest/gtest.h>

#include <string>

namespace saescope {
namespace {

using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

TEST(Progress, BytesAreShownInBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(format_bytes(uint64_t{5} << 52), "20480.0 TiB");
}

TEST(Progress, TimesAreShownAsPeopleSayThem) {
  EXPECT_EQ(format_seconds(0.44), "0.4 s");
  EXPECT_EQ(format_seconds(192), "3 min 12 s");
  EXPECT_EQ(format_seconds(119.7), "2 min 0 s");
  EXPECT_EQ(format_seconds(7260), "2 h 1 min");
}

TEST(Progress, AWarningIsShownOnce) {
  ConsoleProgress progress(ProgressMode::kPlain, false);
  CaptureStderr();
  progress.warn("low memory");
  progress.warn("low memory");
  progress.warn("other");
  EXPECT_EQ(GetCapturedStderr(), "warning: low memory\nwarning: other\n");
}

TEST(Progress, QuietShowsWarningsAlone) {
  ConsoleProgress progress(ProgressMode::kPlain, true);
  CaptureStderr();
  progress.info("hello");
  progress.begin_stage("load", 10, ProgressUnit::kItems);
  progress.update(10);
  progress.end_stage();
  progress.warn("careful");
  EXPECT_EQ(GetCapturedStderr(), "warning: careful\n");
}

TEST(Progress, AStageEndsWithItsAmount) {
  ConsoleProgress progress(ProgressMode::kPlain, false);
  CaptureStderr();
  progress.begin_stage("download", 2048, ProgressUnit::kBytes);
  progress.update(2048);
  progress.end_stage();
  EXPECT_EQ(GetCapturedStderr().substr(0, 21), "download: 2.0 KiB in ");
}

TEST(Progress, SilentKeepsWarnings) {
  SilentProgress progress;
  CaptureStderr();
  progress.info("hello");
  progress.warn("careful");
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_TRUE(progress.warnings.contains("careful"));
}

}  // namespace
}  // namespace saescope
