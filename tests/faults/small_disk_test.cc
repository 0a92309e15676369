// Disks that are full or read-only, as outputs, cache and downloads meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "faults/tiny_run.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::kEarlier;
using testing_support::on_disk;
using testing_support::ProcessResult;
using testing_support::run_process;
using testing_support::TemporaryFolder;
using testing_support::TinyRun;
using testing_support::undisturbed_outputs;

class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    const TemporaryFolder folder;
    if (run_process(on_disk("size=64k", folder.path(), {"true"})).exit_code != 0) {
      GTEST_SKIP() << "NOT TESTED: mounting is not allowed here";
    }
  }
  static ProcessResult run_on(const std::string& options, const fs::path& disk, const TinyRun& run) {
    return run_process(on_disk(options, disk, run.command()), ".", run.environment());
  }
  static void expect_earlier_outputs(const TinyRun& run) {
    for (const auto& [name, bytes] : run.outputs()) EXPECT_EQ(bytes, kEarlier) << name;
    EXPECT_EQ(run.outputs().size(), 3u);
  }
};

TEST_F(SmallDisk, FullOfOutputsIsAnErrorAndEarlierOutputsStay) {
  for (const char* size : {"size=16k", "size=32k", "size=64k", "size=100k"}) {
    const TinyRun run;
    run.put_earlier_outputs();
    const ProcessResult result = run_on(size, run.out(), run);
    EXPECT_EQ(result.exit_code, 1) << size << result.out;
    EXPECT_THAT(result.err,
                AllOf(HasSubstr(run.out().string()), HasSubstr("No space left"), HasSubstr("hint")));
    expect_earlier_outputs(run);
  }
}

TEST_F(SmallDisk, FullOfCachedActivationsCostsOnlyTheSavingAndOneWarning) {
  const auto expected = undisturbed_outputs();
  const TinyRun run;
  fs::create_directory(run.cache());
  const ProcessResult result = run_on("size=48k", run.cache(), run);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(run.outputs(), expected);
  EXPECT_THAT(result.err, HasSubstr("activations are not cached"));
  EXPECT_EQ(result.err.find("activations are not cached"), result.err.rfind("activations are not cached"));
}

TEST_F(SmallDisk, ReadOnlyIsFoundBeforeAnythingIsComputed) {
  const TinyRun run;
  run.put_earlier_outputs();
  const ProcessResult result = run_on("size=1m,ro", run.out(), run);
  EXPECT_EQ(result.exit_code, 1) << result.out;
  EXPECT_THAT(result.err, AllOf(HasSubstr(run.out().string()), HasSubstr("Read-only file system")));
  EXPECT_TRUE(run.cache_files().empty()) << "it computed before it looked";
  expect_earlier_outputs(run);
}

class SmallDiskDownload : public HubTest {};

/// The hub sends slowly, and something else takes the space meanwhile. What was downloaded until then is
/// there when there is room again.
TEST_F(SmallDiskDownload, FullIsAnErrorAndTheNextRunResumes) {
  const TemporaryFolder probe;
  if (run_process(on_disk("size=64k", probe.path(), {"true"})).exit_code != 0) {
    GTEST_SKIP() << "NOT TESTED: mounting is not allowed here";
  }
  const std::string content = test_bytes(1'000'000);
  server.add_file("org/model", "w.bin", content, true);
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.bytes_per_second = 1'000'000; }));
  fs::create_directories(settings.cache);
  const std::vector<std::string> environment = {"HF_ENDPOINT=" + server.endpoint(),
                                                "HF_HUB_CACHE=" + settings.cache.string(),
                                                "HF_HOME=" + folder.string(), "HF_HUB_OFFLINE=0"};
  const std::vector<std::string> fetch = {SAESCOPE_HUB_FETCH, "org/model", "w.bin"};
  const std::vector<std::string> fetch_and_fill = {
      "sh",
      "-c",
      "\"$1\" org/model w.bin & sleep 0.4; head -c 2000000 /dev/zero > \"$2/filler\"; wait $!",
      "sh",
      SAESCOPE_HUB_FETCH,
      settings.cache};
  const ProcessResult full =
      run_process(on_disk("size=1500k", settings.cache, fetch_and_fill), ".", environment);
  EXPECT_EQ(full.exit_code, 1) << full.out;
  EXPECT_THAT(full.err, AllOf(HasSubstr("error: "), HasSubstr("No space left")));
  const auto partial = files_below(settings.cache, ".incomplete");
  ASSERT_EQ(partial.size(), 1u);
  EXPECT_GT(fs::file_size(partial.front()), 50'000u);
  EXPECT_TRUE(files_below(settings.cache, "w.bin").empty()) << "a half file has its final name";

  const ProcessResult again = run_process(fetch, ".", environment);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(server.requests().back().header("range"), HasSubstr("bytes="));
  EXPECT_EQ(read_file(files_below(settings.cache, "w.bin").front()), content);
}

}  // namespace
}  // namespace saescope
