// Model and SAE files lie mapped while they are used: a change under the run must end it, never give numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/atomic_file.h"
#include "faults/tiny_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::ChildProcess;
using testing_support::kEarlier;
using testing_support::ProcessResult;
using testing_support::TinyRun;

constexpr int kLong = 400;  // copies of the prompts: a run of seconds

/// Starts a run, waits until it computes, then lets `damage` happen.
template <typename Damage>
ProcessResult run_while(const TinyRun& run, const Damage& damage) {
  run.put_earlier_outputs();
  ChildProcess process(run.command(), ".", run.environment());
  for (int tries = 0; tries < 3000 && run.cache_files().empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  damage();
  return process.wait();
}

void expect_earlier_outputs(const TinyRun& run) {
  const auto outputs = run.outputs();
  EXPECT_EQ(outputs.size(), 3u);
  for (const auto& [name, bytes] : outputs) EXPECT_EQ(bytes, kEarlier) << name;
}

TEST(FileUnderARun, WeightsCutShortEndItWithAnErrorThatNamesThem) {
  const TinyRun run(kLong);
  const ProcessResult result = run_while(run, [&] { fs::resize_file(run.weights(), 100); });
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), HasSubstr(run.weights().string()), HasSubstr("hint")));
  expect_earlier_outputs(run);
}

TEST(FileUnderARun, WeightsWrittenToEndItWithAnErrorThatNamesThem) {
  const TinyRun run(kLong);
  const ProcessResult result = run_while(run, [&] {
    std::fstream file(run.weights(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-64, std::ios::end);
    file << std::string(64, '\x3f');
  });
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr(run.weights().string()), HasSubstr("changed while the run read it")));
  expect_earlier_outputs(run);
}

TEST(FileUnderARun, AnSaeCutShortEndsItWithAnErrorThatNamesIt) {
  const TinyRun run(kLong);
  const ProcessResult result = run_while(run, [&] { fs::resize_file(run.sae(), 1); });
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), HasSubstr(run.sae().string())));
  expect_earlier_outputs(run);
}

/// An update that replaces the file, as the hub's downloads do, leaves the mapped one as it is.
TEST(FileUnderARun, WeightsReplacedByARenameDoNoHarm) {
  const TinyRun run(20);
  const std::string bytes = read_file(run.weights());
  const ProcessResult result = run_while(run, [&] { write_file_atomically(run.weights(), bytes); });
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(FileUnderARun, AnOutputFolderThatVanishesIsMadeAgain) {
  const TinyRun run(20);
  const ProcessResult result = run_while(run, [&] { fs::remove_all(run.out()); });
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(run.outputs().size(), 3u);
}

}  // namespace
}  // namespace saescope
