// Little memory, signals, and several runs at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <thread>

#include "base/atomic_file.h"
#include "faults/tiny_run.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;
using testing_support::ChildProcess;
using testing_support::kEarlier;
using testing_support::ProcessResult;
using testing_support::run_process;
using testing_support::TinyRun;
using testing_support::undisturbed_outputs;

constexpr int kLong = 400;  // copies of the prompts: a run of seconds

void wait_until_it_computes(const TinyRun& run) {
  for (int tries = 0; tries < 3000 && run.cache_files().empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(Memory, TooLittleIsAnErrorAndNeverACrash) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve terabytes of address space";
#endif
  const auto expected = undisturbed_outputs();
  int failed = 0;
  int refused = 0;
  for (int mebibytes = 60; mebibytes <= 700; mebibytes += 10) {
    const TinyRun run;
    run.put_earlier_outputs();
    std::vector<std::string> command = {"prlimit", "--as=" + std::to_string(uint64_t{1048576} * mebibytes)};
    const auto program = run.command();
    command.insert(command.end(), program.begin(), program.end());
    const ProcessResult result = run_process(command, ".", run.environment());
    if (result.exit_code == 0) {
      EXPECT_EQ(run.outputs(), expected) << mebibytes;
      continue;
    }
    if (result.exit_code == 127) continue;  // the libraries themselves found no room
    result.err.find("ulimit") == std::string::npos ? ++failed : ++refused;
    EXPECT_EQ(result.exit_code, 1) << mebibytes << " MiB: " << result.err;
    EXPECT_NE(result.err, "") << mebibytes;
    for (const auto& [name, bytes] : run.outputs()) EXPECT_EQ(bytes, kEarlier) << name;
  }
  EXPECT_GT(failed, 0) << "no limit was low enough for a failed allocation";
  EXPECT_GT(refused, 0) << "no limit was refused before the run";
}

class Signals : public ::testing::TestWithParam<int> {};

TEST_P(Signals, EndTheRunWithTheirCodeAndLeaveEarlierOutputs) {
  const TinyRun run(kLong);
  run.put_earlier_outputs();
  ChildProcess process(run.command(), ".", run.environment());
  wait_until_it_computes(run);
  process.send(GetParam());
  const ProcessResult result = process.wait();
  EXPECT_EQ(result.exit_code, 128 + GetParam());
  EXPECT_THAT(result.err, HasSubstr("interrupted"));
  EXPECT_EQ(run.outputs().size(), 3u);
  for (const auto& [name, bytes] : run.outputs()) EXPECT_EQ(bytes, kEarlier) << name;
}

/// A stopped process gets both when it goes on: the second may not wait for the end of a block of work, so
/// there is no message of an orderly end.
TEST_P(Signals, TheSecondEndsTheRunAtOnce) {
  const TinyRun run(kLong);
  ChildProcess process(run.command(), ".", run.environment());
  wait_until_it_computes(run);
  process.send(SIGSTOP);
  process.send(SIGINT);
  process.send(SIGTERM);
  process.send(SIGCONT);
  const ProcessResult result = process.wait();
  EXPECT_THAT(result.exit_code, ::testing::AnyOf(130, 143));
  EXPECT_EQ(result.err, "");
}

INSTANTIATE_TEST_SUITE_P(InterruptAndTerminate, Signals, ::testing::Values(SIGINT, SIGTERM));

TEST(RunsAtOnce, OnTheSameCacheAndOutputsAllEndWellWithTheSameBytes) {
  const auto expected = undisturbed_outputs();
  for (int round = 0; round < 5; ++round) {
    const TinyRun run;
    std::deque<ChildProcess> processes;
    for (int i = 0; i < 4; ++i) processes.emplace_back(run.command(), ".", run.environment());
    for (ChildProcess& process : processes) {
      const ProcessResult result = process.wait();
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(result.err, "");
    }
    EXPECT_EQ(run.outputs(), expected);
  }
}

}  // namespace
}  // namespace saescope
