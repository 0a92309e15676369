// Disks that are full while a stage works: one error, and the task goes on once there is room.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faults/tiny_run.h"
#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::count_in;
using testing_support::expect_same_outputs;
using testing_support::on_disk;
using testing_support::ProcessResult;
using testing_support::run_process;
using testing_support::StagedRun;
using testing_support::TemporaryFolder;
using testing_support::whole_outputs;

class StageOnSmallDisk : public ::testing::Test {
 protected:
  static std::vector<std::string> flags() { return {"--batch-tokens", "40"}; }
  void SetUp() override {
    const TemporaryFolder folder;
    if (run_process(on_disk("size=64k", folder.path(), {"true"})).exit_code != 0) {
      GTEST_SKIP() << "NOT TESTED: mounting is not allowed here";
    }
    fs::create_directory(run.store());
  }
  /// A stage whose store, or another folder, is a disk with this much room besides what it holds.
  ProcessResult run_with_room(uint64_t kibibytes, const fs::path& disk,
                              const std::vector<std::string>& command) {
    constexpr uint64_t kPage = 4096;
    uint64_t bytes = kibibytes * 1024;
    for (const fs::path& file : StagedRun::files_below(disk))
      bytes += (fs::file_size(file) + kPage - 1) / kPage * kPage;
    return run_process(on_disk(fmt::format("size={}", bytes), disk, command), run.folder(),
                       run.environment());
  }
  static void expect_one_error(const ProcessResult& result, const fs::path& place) {
    EXPECT_EQ(result.exit_code, 1) << result.out;
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("error: " + place.string()), HasSubstr("No space left"), HasSubstr("hint")));
    EXPECT_EQ(result.err.find("error: "), result.err.rfind("error: ")) << result.err;
    EXPECT_THAT(result.err, ::testing::Not(HasSubstr("warning: "))) << result.err;
  }

  const StagedRun run{flags()};
};

TEST_F(StageOnSmallDisk, ForwardGoesOnWhereTheDiskWasFull) {
  expect_one_error(run_with_room(200, run.store(), run.command("forward", "1/1")), run.store());
  const std::size_t before = run.waves().size();
  EXPECT_GT(before, 0u);
  const ProcessResult again = run.run("forward", "1/1");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(count_in(again.out, "waves"), run.waves().size() - before) << again.out;
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs(flags()));
}

TEST_F(StageOnSmallDisk, EncodeGoesOnWhereTheDiskWasFull) {
  run.run_all("forward", 1);
  for (const uint64_t room : {0, 40, 400}) {
    expect_one_error(run_with_room(room, run.store(), run.command("encode", "1/2")), run.store());
  }
  run.run_all("encode", 2);
  expect_same_outputs(run.finish(), whole_outputs(flags()));
}

TEST_F(StageOnSmallDisk, FinishNeedsNoRoomInTheStore) {
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  const ProcessResult result = run_with_room(0, run.store(), run.command("finish", ""));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  expect_same_outputs(run.take_outputs(), whole_outputs(flags()));
}

TEST_F(StageOnSmallDisk, FinishWithoutRoomForItsOutputsIsAnErrorAndAgainWithRoomItIsDone) {
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  expect_one_error(run_with_room(100, run.files().out(), run.command("finish", "")), run.files().out());
  EXPECT_TRUE(run.take_outputs().empty());
  EXPECT_FALSE(fs::exists(run.job() / "finished"));
  expect_same_outputs(run.finish(), whole_outputs(flags()));
  EXPECT_TRUE(fs::exists(run.job() / "finished"));
}

TEST_F(StageOnSmallDisk, AStoreThatMayOnlyBeReadIsEnoughForFinish) {
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  const ProcessResult result = run_process(on_disk("size=64m,ro", run.store(), run.command("finish", "")),
                                           run.folder(), run.environment());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("it cannot be noted that the job is finished"));
  expect_same_outputs(run.take_outputs(), whole_outputs(flags()));
}

TEST_F(StageOnSmallDisk, LocalCopiesWithoutRoomAreReportedOnceAndWeightsAreReadWhereTheyLie) {
  const fs::path local = run.folder() / "local";
  fs::create_directory(local);
  const ProcessResult result =
      run_with_room(16, local, run.command("forward", "1/1", {"--local-copy", local.string()}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("without local copies in " + local.string()), HasSubstr("No space left")));
  EXPECT_EQ(result.err.find("warning: "), result.err.rfind("warning: ")) << result.err;
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs(flags()));
}

}  // namespace
}  // namespace saescope
