// A process that is killed at any moment loses nothing that it had finished.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <regex>
#include <thread>

#include "base/atomic_file.h"
#include "faults/tiny_run.h"

namespace saescope {
namespace {

using testing_support::ChildProcess;
using testing_support::kEarlier;
using testing_support::ProcessResult;
using testing_support::TinyRun;
using testing_support::undisturbed_outputs;
using Clock = std::chrono::steady_clock;

constexpr int kKills = 50;
constexpr int kCopies = 3;

/// "30 prompts from the activation cache", over both models.
std::size_t cached_prompts(const std::string& summary) {
  static const std::regex kCount("(\\d+) prompts from the activation cache");
  std::size_t sum = 0;
  for (std::sregex_iterator it(summary.begin(), summary.end(), kCount), end; it != end; ++it) {
    sum += std::stoul((*it)[1]);
  }
  return sum;
}

/// How many of the run's prompts the files of finished waves hold: with a wave for each distinct prompt, all
/// its copies.
std::size_t finished_prompts(const TinyRun& run) { return run.cache_files().size() * kCopies; }

TEST(KilledRun, GoesOnFromItsLastWaveToTheSameBytes) {
  const auto expected = undisturbed_outputs(kCopies);
  const auto started = Clock::now();
  undisturbed_outputs(kCopies);
  auto whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started).count();
  std::mt19937 random(20);
  int while_running = 0;
  // A machine that other work slowed down while `whole` was measured runs faster now: more kills then.
  const auto enough = [&](int kills) { return kills >= kKills && while_running > kKills / 2; };
  for (int kill = 0; !enough(kill) && kill < 4 * kKills; ++kill) {
    const TinyRun run(kCopies);
    run.put_earlier_outputs();
    ChildProcess process(run.command(), ".", run.environment());
    const auto moment = std::uniform_int_distribution<int64_t>(0, whole)(random);
    std::this_thread::sleep_for(std::chrono::microseconds(moment));
    process.send(SIGKILL);
    const bool was_running = process.wait().exit_code == 128 + SIGKILL;
    if (was_running) ++while_running;
    // Other work on the machine makes runs longer and shorter: kills follow them.
    whole = was_running ? whole * 21 / 20 : whole * 4 / 5;

    for (const auto& [name, bytes] : run.outputs()) {  // each as before, or finished
      const bool whole_output = expected.contains(name) && bytes == expected.at(name);
      EXPECT_TRUE(bytes == kEarlier || whole_output) << name << " after " << moment << " µs";
    }
    const std::size_t finished = finished_prompts(run);
    const ProcessResult again = run.run();
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(run.outputs(), expected) << "after " << moment << " µs";
    EXPECT_GE(cached_prompts(again.out), finished) << again.out;
  }
  EXPECT_GT(while_running, kKills / 2) << "most kills must hit a run";
}

}  // namespace
}  // namespace saescope
