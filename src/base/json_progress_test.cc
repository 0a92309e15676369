#include "base/json_progress.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace saescope {
namespace {

/// The objects that `work` writes to stderr.
template <typename Work>
std::vector<nlohmann::json> events_of(Work work) {
  ::testing::internal::CaptureStderr();
  work();
  std::istringstream lines(::testing::internal::GetCapturedStderr());
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  return events;
}

TEST(JsonProgress, AStageIsWrittenAtItsBeginAndItsEnd) {
  const auto events = events_of([] {
    JsonProgress progress(false);
    progress.begin_stage("a \"stage\"", 7, ProgressUnit::kItems);
    progress.update(7);
    progress.end_stage();
    progress.begin_stage("bytes", 0, ProgressUnit::kBytes);
    progress.end_stage();
  });
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0]["event"], "stage");
  EXPECT_EQ(events[0]["stage"], "a \"stage\"");
  EXPECT_EQ(events[0]["done"], 0);
  EXPECT_EQ(events[0]["rate"], nullptr);
  EXPECT_EQ(events[0]["ended"], false);
  EXPECT_EQ(events[1]["done"], 7);
  EXPECT_EQ(events[1]["total"], 7);
  EXPECT_GT(events[1]["rate"], 0);
  EXPECT_EQ(events[1]["ended"], true);
  EXPECT_EQ(events[2]["total"], nullptr);
  EXPECT_EQ(events[2]["unit"], "bytes");
}

TEST(JsonProgress, AWarningIsWrittenOnceAndQuietLeavesNothingElse) {
  const auto events = events_of([] {
    JsonProgress progress(true);
    progress.info("nothing");
    progress.begin_stage("nothing", 1, ProgressUnit::kItems);
    progress.end_stage();
    progress.warn("of \xFF bytes");
    progress.warn("of \xFF bytes");
  });
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0], (nlohmann::json{{"event", "warning"}, {"message", "of \\xff bytes"}}));
}

TEST(JsonProgress, AnErrorHasThePartsThatItHas) {
  const auto error = nlohmann::json::parse(
      json_error_line("input", {.what = "is bad", .where = "a\nfile", .hint = "mend it"}));
  EXPECT_EQ(error, (nlohmann::json{{"event", "error"},
                                   {"kind", "input"},
                                   {"what", "is bad"},
                                   {"where", "a\\x0afile"},
                                   {"hint", "mend it"}}));
}

}  // namespace
}  // namespace saescope
