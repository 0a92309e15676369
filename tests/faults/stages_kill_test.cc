// A task of a stage that is killed or told to end, at any moment, goes on where it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using testing_support::ChildProcess;
using testing_support::count_in;
using testing_support::expect_same_outputs;
using testing_support::ProcessResult;
using testing_support::StagedRun;
using testing_support::whole_outputs;
using Clock = std::chrono::steady_clock;

constexpr int kKills = 14;
constexpr int kCopies = 6;
constexpr std::size_t kPrompts = 30 * kCopies;  // of each of the two models

/// A wave for each prompt.
std::vector<std::string> small_waves() { return {"--batch-tokens", "1"}; }

/// Prompts of each model that the newest state of a part has; a killed task may leave an older one beside it.
std::map<fs::path, std::size_t> prompts_done(const StagedRun& run) {
  std::map<fs::path, std::size_t> done;
  for (const fs::path& state : run.states()) {
    std::size_t& most = done[state.parent_path()];
    most =
        std::max<std::size_t>(most, std::stoul(state.stem().string().substr(std::string("state-").size())));
  }
  return done;
}

std::size_t sum_of(const std::map<fs::path, std::size_t>& counts) {
  std::size_t sum = 0;
  for (const auto& [folder, count] : counts) sum += count;
  return sum;
}

/// Kills a task at moments that are spread over the time that it takes.
class Killer {
 public:
  explicit Killer(unsigned seed) : random_(seed) {}

  bool is_done() const { return (kills_ >= kKills && while_running_ > kKills / 2) || kills_ > 4 * kKills; }
  int while_running() const { return while_running_; }

  void kill(const StagedRun& run, const std::vector<std::string>& command) {
    ChildProcess process(command, run.folder(), run.environment());
    std::this_thread::sleep_for(std::uniform_int_distribution<int64_t>(0, time_.count())(random_) *
                                std::chrono::microseconds(1));
    process.send(SIGKILL);
    const bool was_running = process.wait().exit_code == 128 + SIGKILL;
    if (was_running) ++while_running_;
    ++kills_;
    time_ = was_running ? time_ * 21 / 20 : time_ * 4 / 5;  // other work makes runs longer and shorter
  }

 private:
  std::mt19937 random_;
  std::chrono::microseconds time_{400'000};
  int kills_ = 0;
  int while_running_ = 0;
};

TEST(KilledTask, OfForwardComputesNoFinishedWaveAgain) {
  std::size_t all = 0;
  {
    const StagedRun run(small_waves(), kCopies);
    run.run_all("forward", 1);
    all = run.waves().size();
  }
  Killer killer(1);
  while (!killer.is_done()) {
    const StagedRun run(small_waves(), kCopies);
    killer.kill(run, run.command("forward", "1/1"));
    const std::size_t before = run.waves().size();
    const ProcessResult again = run.run("forward", "1/1");
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(run.waves().size(), all);
    const std::size_t waves = all - before;
    EXPECT_EQ(count_in(again.out, "waves"), waves) << again.out;
    run.run_all("encode", 1);
    expect_same_outputs(run.finish(), whole_outputs(small_waves(), kCopies));
  }
  EXPECT_GT(killer.while_running(), kKills / 2) << "most kills must hit a run";
}

TEST(KilledTask, OfEncodeGoesOnAfterWhatItHadKept) {
  Killer killer(2);
  std::size_t kept = 0;
  while (!killer.is_done()) {
    const StagedRun run(small_waves(), kCopies);
    run.run_all("forward", 1);
    killer.kill(run, run.command("encode", "1/2"));
    const auto done = prompts_done(run);
    if (sum_of(done) > 0 && sum_of(done) < 2 * kPrompts) ++kept;
    const ProcessResult again = run.run("encode", "1/2");
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(again.err, "");
    // Of a model whose share of this task is empty, nothing is read.
    const std::size_t read = count_in(again.out, "prompts from the activation cache");
    const std::size_t models = prompts_done(run).size();
    EXPECT_EQ(models, 2u);
    EXPECT_EQ(read % kPrompts, (2 * kPrompts - sum_of(done)) % kPrompts) << again.out;
    EXPECT_LE(read, 2 * kPrompts - sum_of(done)) << again.out;
    run.run_all("encode", 2);
    expect_same_outputs(run.finish(), whole_outputs(small_waves(), kCopies));
  }
  EXPECT_GT(killer.while_running(), kKills / 2) << "most kills must hit a run";
  EXPECT_GT(kept, 0u) << "no kill came between two states";
}

/// An engine that believes a task lost starts it again while it still runs; and kills what it finds.
TEST(KilledTask, ThatOthersDoAtTheSameTimeInOtherWavesLeavesWhatFinishNeeds) {
  std::mt19937 random(3);
  for (int round = 0; round < 6; ++round) {
    const StagedRun run(small_waves(), kCopies);
    run.run_all("forward", 1);
    for (int kill = 0; kill < 4; ++kill) {
      std::deque<ChildProcess> twins;
      for (const char* batch : {"1", "30", "70"}) {
        twins.emplace_back(run.command("encode", "1/2", {"--batch-tokens", batch}), run.folder(),
                           run.environment());
      }
      for (ChildProcess& twin : twins) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(0, 150)(random)));
        twin.send(SIGKILL);
        EXPECT_EQ(twin.wait().err, "");
      }
    }
    run.run_all("encode", 2);
    expect_same_outputs(run.finish(), whole_outputs(small_waves(), kCopies));
  }
}

/// What the last line of progress said is in.
std::size_t told(const std::string& progress) {
  std::size_t done = 0;
  std::istringstream lines(progress);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event.value("event", "") == "stage") done = event["done"].get<std::size_t>();
  }
  return done;
}

/// Preempted tasks are told first. Saving takes a small part of the time, so that most waves are not in the
/// last state.
TEST(TerminatedTask, OfEncodeKeepsEveryWaveThatItHadFinished) {
  const StagedRun run({"--batch-tokens", "1", "--analysis", "specific"}, 200);
  run.run_all("forward", 1);
  std::size_t last = 0;
  for (int round = 0; round < 8; ++round) {
    ChildProcess process(run.command("encode", "1/1", {"--progress=json"}), run.folder(), run.environment());
    const auto states = run.states();
    for (int tries = 0; tries < 3000 && run.states() == states; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(40 + 31 * round));
    process.send(SIGTERM);
    const ProcessResult result = process.wait();
    if (result.exit_code == 0) break;  // the task has ended in the meantime
    EXPECT_EQ(result.exit_code, 143) << result.err;
    const auto done = prompts_done(run);  // of the models that were begun
    ASSERT_FALSE(done.empty());
    EXPECT_GE(std::prev(done.end())->second, told(result.err));
    EXPECT_GE(sum_of(done), last);
    last = sum_of(done);
  }
  EXPECT_GT(last, 0u) << "no signal met a task at work";
}

TEST(TerminatedTask, OfForwardKeepsItsFinishedWaves) {
  const StagedRun run(small_waves(), 1);
  ChildProcess process(run.command("forward", "1/1"), run.folder(), run.environment());
  for (int tries = 0; tries < 3000 && run.waves().empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  process.send(SIGTERM);
  const int exit_code = process.wait().exit_code;
  EXPECT_TRUE(exit_code == 143 || exit_code == 0) << exit_code;
  EXPECT_FALSE(run.waves().empty());
  const std::size_t before = run.waves().size();
  const ProcessResult again = run.run("forward", "1/1");
  EXPECT_EQ(count_in(again.out, "waves"), run.waves().size() - before) << again.out;
}

}  // namespace
}  // namespace saescope
