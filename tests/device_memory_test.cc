// What a run does where a device's memory is smaller than it said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>

#include "base/error.h"
#include "in_process_run.h"
#include "ops/reference/reference_backend.h"
#include "process.h"

namespace saescope {
namespace {

using testing_support::InProcessRun;
using testing_support::TemporaryFolder;

/// Holds arrays of so many rows.
class SmallDevice final : public ReferenceBackend {
 public:
  explicit SmallDevice(std::size_t rows) : rows_(rows) {}
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override {
    if (rows > rows_) throw OutOfDeviceMemory("memory", "CUDA out of memory");
    return ReferenceBackend::allocate(rows, cols, dtype);
  }
  void save_memory() override { ++times_saved; }

  int times_saved = 0;

 private:
  std::size_t rows_;
};

/// Runs out of memory in some of the calls of one operator, which a layer calls once.
class FailingDevice final : public ReferenceBackend {
 public:
  /// @param failing calls, counted from 1
  explicit FailingDevice(std::set<int> failing) : failing_(std::move(failing)) {}

  int calls = 0;
  std::function<void(int call)> before_call = [](int) {};

 protected:
  void do_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                    const TreeTopology& tree, const AttentionShape& shape, const Array& out) override {
    before_call(++calls);

    if (failing_.contains(calls)) throw OutOfDeviceMemory("attention", "CUDA out of memory");
    ReferenceBackend::do_attention(q, k, v, query_nodes, tree, shape, out);
  }

 private:
  std::set<int> failing_;
};

TEST(DeviceMemory, AWaveThatDoesNotFitIsHalvedUntilItDoesWithTheSameActivations) {
  InProcessRun run;
  ReferenceBackend large;
  const InProcessRun::Streamed whole = run.stream(large);
  ASSERT_EQ(whole.counts.waves, 1u);
  SmallDevice small(run.model->prepared.prompts.longest());
  const InProcessRun::Streamed parts = run.stream(small);
  EXPECT_GT(parts.counts.waves, 2u);
  EXPECT_GT(small.times_saved, 1);
  EXPECT_EQ(run.progress.warnings.size(), static_cast<std::size_t>(small.times_saved))
      << "one line for each size";
  EXPECT_THAT(*run.progress.warnings.begin(), ::testing::HasSubstr("going on with"));
  EXPECT_TRUE(parts.layers == whole.layers);
}

TEST(DeviceMemory, APromptThatDoesNotFitAloneIsAnErrorWithWhatToDo) {
  InProcessRun run;
  SmallDevice tiny(2);
  try {
    run.stream(tiny);
    FAIL() << "did not run out of memory";
  } catch (const OutOfDeviceMemory& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--batch-tokens"));
  }
}

/// Calls of attention that fail: three for each wave, of layers 0, 1 and 2.
struct Failures {
  const char* name;
  std::set<int> calls;
};

class DeviceMemoryOfLayers : public ::testing::TestWithParam<Failures> {};

TEST_P(DeviceMemoryOfLayers, EachLayerGetsEachPromptOnceInOrderWithTheSameActivations) {
  for (const bool all_tokens : {false, true}) {
    const TemporaryFolder store;
    InProcessRun run({.store = store.path(), .all_tokens = all_tokens});
    FailingDevice failing(GetParam().calls);
    const InProcessRun::Streamed parts = run.stream(failing);
    EXPECT_GT(failing.calls, *GetParam().calls.rbegin()) << "a failure did not come about";
    EXPECT_EQ(run.progress.warnings.size(), GetParam().calls.size());
    ReferenceBackend large;
    EXPECT_TRUE(parts.layers == InProcessRun({.all_tokens = all_tokens}).stream(large).layers);
    const InProcessRun::Streamed again = run.stream(large);
    EXPECT_EQ(again.counts.computed_nodes, 0u) << "the cache does not hold everything";
    EXPECT_TRUE(again.layers == parts.layers);
  }
}

INSTANTIATE_TEST_SUITE_P(
    , DeviceMemoryOfLayers,
    ::testing::Values(Failures{"InTheFirstLayer", {1}}, Failures{"InTheSecondLayer", {2}},
                      Failures{"InTheLastLayer", {3}}, Failures{"OfTheHalfInAnEarlierLayer", {3, 5}},
                      Failures{"OfTheHalfInTheFirstLayer", {3, 4}},
                      Failures{"OfTheHalfInALaterLayer", {2, 5}}, Failures{"OfTheHalfInTheSameLayer", {3, 6}},
                      Failures{"OfTheSecondHalfInAnEarlierLayer", {3, 7}},
                      Failures{"OfTheSecondHalfInALaterLayer", {2, 8}}, Failures{"ThreeTimes", {3, 6, 14}}),
    [](const auto& failures) { return failures.param.name; });

/// What the stage encode keeps of all prompts.
std::string encode_part(InProcessRun& run, Backend& backend, const std::filesystem::path& folder) {
  EncodedPart part(folder, "reference", run.progress);
  run.encode(backend, &part);
  return read_file(folder / "state-000000000012.safetensors");
}

/// A state that counts a prompt at one layer and not at another would count it twice.
TEST(DeviceMemory, APartThatIsInterruptedWhileWavesAreHalvedResumesToTheSameBytes) {
  const InProcessRun::Settings two_waves = {.prompts = 12, .batch_tokens = InProcessRun::kTokensOfThreeWaves};
  const TemporaryFolder folder;
  InProcessRun undisturbed(two_waves);
  ReferenceBackend large;
  const std::string expected = encode_part(undisturbed, large, folder.path() / "undisturbed");
  FailingDevice failing({3, 8});
  EXPECT_TRUE(encode_part(undisturbed, failing, folder.path() / "failing") == expected);
  EXPECT_EQ(undisturbed.progress.warnings.size(), 2u);
  for (int last = 1; last < failing.calls; ++last) {
    const std::filesystem::path part = folder.path() / std::to_string(last);
    InProcessRun run(two_waves);
    FailingDevice interrupted({3, 8});
    interrupted.before_call = [&](int call) {
      if (call == last) run.cancel.request(15);
    };
    EXPECT_THROW(encode_part(run, interrupted, part), Interrupted) << last;
    EXPECT_TRUE(encode_part(undisturbed, large, part) == expected) << "interrupted in call " << last;
  }
}

}  // namespace
}  // namespace saescope
