// Tasks whose store lies on a file system that lacks what local ones have, or shows other machines' files
// late.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::ChildProcess;
using testing_support::expect_same_outputs;
using testing_support::ProcessResult;
using testing_support::StagedRun;
using testing_support::whole_outputs;

/// Sees the run's folder as a shared file system's.
std::vector<std::string> sharing(const StagedRun& run, const std::vector<std::string>& how) {
  std::vector<std::string> environment = {std::string("LD_PRELOAD=") + SAESCOPE_SHARED_FOLDER_LIBRARY,
                                          "SAESCOPE_SHARED_FOLDER=" + run.store().string()};
  environment.insert(environment.end(), how.begin(), how.end());
  return environment;
}

class SharedFolder : public ::testing::TestWithParam<std::vector<std::string>> {
 protected:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  void SetUp() override { GTEST_SKIP() << "sanitizers want to be the first library"; }
#endif
};

TEST_P(SharedFolder, WithoutAFeatureOfLocalOnesGivesTheSameBytes) {
  const StagedRun run;
  const auto environment = sharing(run, GetParam());
  for (const auto& [stage, tasks] : {std::pair{"forward", 3}, std::pair{"encode", 2}}) {
    std::deque<ChildProcess> at_once;
    for (int task = 1; task <= tasks; ++task) {
      at_once.emplace_back(run.command(stage, fmt::format("{}/{}", task, tasks)), run.folder(),
                           run.environment(environment));
    }
    for (ChildProcess& process : at_once) {
      const ProcessResult result = process.wait();
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(result.err, "");
    }
  }
  expect_same_outputs(run.finish({}, environment), whole_outputs());
  for (const fs::path& file : StagedRun::files_below(run.store())) {
    EXPECT_NE(file.filename().string().front(), '.') << "a temporary file is left: " << file;
  }
}

INSTANTIATE_TEST_SUITE_P(, SharedFolder,
                         ::testing::Values(std::vector<std::string>{"SAESCOPE_SHARED_NO_TMPFILE=1"},
                                           std::vector<std::string>{"SAESCOPE_SHARED_NO_FLOCK=1"},
                                           std::vector<std::string>{"SAESCOPE_SHARED_NO_LINK=1"},
                                           std::vector<std::string>{"SAESCOPE_SHARED_NO_TMPFILE=1",
                                                                    "SAESCOPE_SHARED_NO_FLOCK=1",
                                                                    "SAESCOPE_SHARED_NO_LINK=1"}),
                         [](const auto& how) {
                           std::string name;
                           for (const std::string& one : how.param) {
                             const std::string feature =
                                 one.substr(std::string("SAESCOPE_SHARED_NO_").size());
                             name += "No" + feature.substr(0, feature.find('='));
                           }
                           return name;
                         });

/// Local copies lie on a disk of the machine, which may be one without locks, too.
TEST_F(SharedFolder, LocalCopiesWithoutLocksAreMadeWithAWarning) {
  const StagedRun run;
  const std::string local = run.store() / "local";
  const ProcessResult result =
      run.run("forward", "1/1", {"--local-copy", local}, sharing(run, {"SAESCOPE_SHARED_NO_FLOCK=1"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("this file system has no locks"));
  EXPECT_FALSE(StagedRun::files_below(local, "").empty());
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs());
}

constexpr const char* kSoon = "SAESCOPE_SHARED_LATE=2";
constexpr const char* kNever = "SAESCOPE_SHARED_LATE=3600";

TEST_F(SharedFolder, FilesThatAreSeenLateAreWaitedFor) {
  const StagedRun run;
  auto environment = sharing(run, {kSoon, "SAESCOPE_STORE_WAIT=300"});
  run.run_all("forward", 2);
  const auto waves = run.waves();
  const ProcessResult encode = run.run("encode", "1/1", {}, environment);
  EXPECT_EQ(encode.exit_code, 0);
  EXPECT_THAT(encode.err, AllOf(HasSubstr("waiting up to 300 s for llama: the activations of 30 prompts"),
                                Not(HasSubstr("computed here"))));
  EXPECT_EQ(run.waves(), waves);
  const ProcessResult finish = run.run("finish", "", {}, environment);
  EXPECT_EQ(finish.exit_code, 0);
  EXPECT_THAT(finish.err, HasSubstr("waiting up to 300 s for 1 parts of the stage encode"));
  expect_same_outputs(run.take_outputs(), whole_outputs());
}

TEST_F(SharedFolder, FilesThatAreNotSeenInTimeAreComputedByEncodeAndNamedByFinish) {
  const StagedRun run;
  const auto environment = sharing(run, {kNever, "SAESCOPE_STORE_WAIT=1"});
  run.run_all("forward", 2);
  const ProcessResult encode = run.run("encode", "1/2", {}, environment);
  EXPECT_EQ(encode.exit_code, 0);
  EXPECT_THAT(encode.err,
              HasSubstr("llama: the store has no activations of 30 prompts; they are computed here"));
  run.run_all("encode", 2);
  const ProcessResult finish = run.run("finish", "", {}, environment);
  EXPECT_EQ(finish.exit_code, 1);
  EXPECT_THAT(finish.err, AllOf(HasSubstr("parts of the stage encode are missing"), HasSubstr("--task 1/1")));
  EXPECT_TRUE(run.take_outputs().empty());
  expect_same_outputs(run.finish(), whole_outputs());
}

/// A task that was done elsewhere and is done again: what it makes is what lies there.
TEST_F(SharedFolder, ATaskThatDoesNotSeeItsOwnEarlierWorkDoesItAgainToTheSameBytes) {
  const StagedRun run;
  const auto environment = sharing(run, {kNever});
  for (int pass = 0; pass < 2; ++pass) {
    for (const char* task : {"1/2", "2/2"}) {
      for (const char* stage : {"forward", "encode"}) {
        EXPECT_EQ(run.run(stage, task, {"--batch-tokens", pass == 0 ? "60" : "35"}, environment).exit_code,
                  0);
      }
    }
  }
  expect_same_outputs(run.finish(), whole_outputs());
}

/// Whoever comes later sees the file that the first one's link has left in its way.
TEST_F(SharedFolder, AJobThatAnotherKindOfProcessorBeganIsRefusedThoughItsFileIsSeenLate) {
  const StagedRun run({"--dtype", "bf16"});
  run.run_all("forward", 1);
  const auto late = sharing(run, {kNever, "ONEDNN_MAX_CPU_ISA=AVX2"});
  const ProcessResult early = run.run("forward", "1/1", {}, {"ONEDNN_MAX_CPU_ISA=AVX2"});
  if (early.exit_code == 0) GTEST_SKIP() << "NOT TESTED: this processor has no units for bfloat16";
  const ProcessResult result = run.run("forward", "1/1", {}, late);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("rounds the model's products in another way"));
}

}  // namespace
}  // namespace saescope
