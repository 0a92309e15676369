// What a run does where PyTorch fails while it computes: the device's memory is full, or it answers no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "in_process_run.h"
#include "ops/torch/torch_testing.h"
#include "process.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;
using testing_support::InProcessRun;
using testing_support::TemporaryFolder;

/// PyTorch, some of whose calls fail. They are C functions, so what they know of each other is static.
struct FailingTorch {
  static inline TorchApi real;
  static inline int calls = 0;
  static inline std::function<bool(int call)> fails;  ///< calls are counted from 1
  static inline std::string reason;

  static bool next_fails() { return fails && fails(++calls); }

  template <auto kFunction>
  struct Instead;
  template <typename... Arguments, TorchStatus (*TorchApi::*kFunction)(Arguments...)>
  struct Instead<kFunction> {
    static TorchStatus call(Arguments... arguments) {
      return next_fails() ? 1 : (real.*kFunction)(arguments...);
    }
  };

  /// An operator that fails took its arguments all the same, and may have written what it was to write.
  static TorchStatus call_operator(const char* name, const char* overload, TorchValue* stack,
                                   uint64_t version) {
    const TorchStatus status = real.torch_call_dispatcher(name, overload, stack, version);
    if (status != 0 || !next_fails()) return status;
    real.aoti_torch_delete_tensor_object(reinterpret_cast<TorchHandle>(static_cast<uintptr_t>(stack[0])));
    return 1;
  }

  static TorchApi api() {
    TorchApi api = real;
    api.torch_exception_get_what_without_backtrace = [] { return reason.c_str(); };
    api.torch_call_dispatcher = call_operator;
    api.aoti_torch_empty_strided = Instead<&TorchApi::aoti_torch_empty_strided>::call;
    api.aoti_torch_empty_strided_pinned = Instead<&TorchApi::aoti_torch_empty_strided_pinned>::call;
    api.aoti_torch_copy_ = Instead<&TorchApi::aoti_torch_copy_>::call;
    api.aoti_torch_zero_ = Instead<&TorchApi::aoti_torch_zero_>::call;
    api.aoti_torch_aten_amax = Instead<&TorchApi::aoti_torch_aten_amax>::call;
    api.aoti_torch_aten_subtract_Tensor = Instead<&TorchApi::aoti_torch_aten_subtract_Tensor>::call;
    return api;
  }
};

class TorchFailures : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      library_ = load_torch(testing_support::find_torch_for_tests(), device_.is_gpu);
    } catch (const InputError& error) {
      GTEST_SKIP() << "skipped, nothing was tested: " << error.what();
    }
    FailingTorch::real = library_.api;
    library_.api = FailingTorch::api();
  }

  /// A device whose calls fail from now on where `fails` says so.
  std::unique_ptr<Backend> make_device(const std::string& reason, std::function<bool(int)> fails) {
    FailingTorch::fails = {};
    auto backend = std::make_unique<TorchBackend>(library_, device_, 1);
    FailingTorch::reason = reason;
    FailingTorch::fails = std::move(fails);
    FailingTorch::calls = 0;
    return backend;
  }
  std::unique_ptr<Backend> make_sound_device() {
    return make_device("", [](int) { return false; });
  }

  /// As those before 2.13.
  void give_no_reasons() { library_.api.torch_exception_get_what_without_backtrace = nullptr; }

  /// So many numbers from 1 to the last one.
  static std::vector<int> spread(int last, int count) {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(1 + (last - 1) * i / (count - 1));
    return numbers;
  }

  static constexpr const char* kFull =
      "CUDA out of memory. Tried to allocate 2.00 MiB.\nException raised from";
  static constexpr const char* kLost = "CUDA error: unspecified launch failure\nException raised from";

 private:
  TorchDeviceName device_ = testing_support::torch_test_device();
  TorchLibrary library_;
};

TEST_F(TorchFailures, MemoryThatRunsOutInAnyCallGivesTheSameActivationsInSmallerWaves) {
  InProcessRun run({.prompts = 2});
  const auto sound = make_sound_device();
  const InProcessRun::Streamed expected = run.stream(*sound);
  ASSERT_EQ(expected.counts.waves, 1u);
  const int calls = FailingTorch::calls;
  for (int failing = 1; failing <= calls; ++failing) {
    const auto device = make_device(kFull, [&](int call) { return call == failing; });
    const InProcessRun::Streamed streamed = run.stream(*device);
    ASSERT_TRUE(streamed.layers == expected.layers) << "call " << failing;
    EXPECT_EQ(streamed.counts.waves, 2u) << "call " << failing;
  }
  EXPECT_EQ(run.progress.warnings.size(), 1u) << "the same one each time";
}

TEST_F(TorchFailures, MemoryThatRunsOutTwiceGivesTheSameActivations) {
  InProcessRun run;
  const auto sound = make_sound_device();
  const InProcessRun::Streamed expected = run.stream(*sound);
  const int calls = FailingTorch::calls;
  for (const int first : spread(calls, 5)) {
    for (const int distance : spread(calls * 3 / 4, 6)) {
      const auto device =
          make_device(kFull, [&](int call) { return call == first || call == first + distance; });
      ASSERT_TRUE(run.stream(*device).layers == expected.layers) << first << " + " << distance;
    }
  }
}

TEST_F(TorchFailures, MemoryThatRunsOutWhileAnSaeEncodesGivesTheSameStatistics) {
  InProcessRun run({.prompts = 2});
  const auto sound = make_sound_device();
  const InProcessRun::Statistics expected = run.encode(*sound).statistics;
  const int calls = FailingTorch::calls;
  for (int failing = 1; failing <= calls; ++failing) {
    const auto device = make_device(kFull, [&](int call) { return call == failing; });
    ASSERT_TRUE(run.encode(*device).statistics == expected) << "call " << failing << " of " << calls;
  }
}

/// Chosen features of an SAE are encoded by it.
TEST_F(TorchFailures, MemoryThatRunsOutInAProductThatIsGivenInTilesGivesTheSameBits) {
  constexpr std::size_t kRows = 3, kIn = 8, kOut = 1300;
  std::vector<float> x(kRows * kIn), weights(kOut * kIn);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 11) / 8;
  const TensorView view =
      TensorView::dense(DType::kF32, {kOut, kIn}, reinterpret_cast<const std::byte*>(weights.data()));
  const auto multiply = [&](int failing) {
    bool has_rows = false;
    const auto device = make_device(kFull, [&](int call) { return has_rows && call == failing; });
    const Array rows = device->allocate(kRows, kIn, DType::kF32);
    device->upload({x.data(), kRows, kIn, kIn}, rows);
    has_rows = true;
    FailingTorch::calls = 0;
    std::vector<float> y(kRows * kOut);
    device->linear_tiles(rows, device->bind(view), [&](std::size_t first, MatrixView<float> tile) {
      for (std::size_t r = 0; r < tile.rows; ++r) {
        std::copy_n(tile.row(r), tile.cols, y.data() + r * kOut + first);
      }
    });
    return y;
  };
  const std::vector<float> expected = multiply(-1);
  const int calls = FailingTorch::calls;
  int finished = 0;
  for (int failing = 1; failing <= calls; ++failing) {
    try {
      EXPECT_EQ(multiply(failing), expected) << "call " << failing;
      ++finished;
    } catch (const OutOfDeviceMemory& error) {
      EXPECT_EQ(error.detail().where, "page-locked memory") << "the host's, which no weight can make room in";
    }
  }
  EXPECT_GT(finished, calls / 2);
}

TEST_F(TorchFailures, MemoryThatStaysFullIsAnErrorOfMemory) {
  InProcessRun run;
  const auto sound = make_sound_device();
  run.stream(*sound);
  for (const int first : spread(FailingTorch::calls, 20)) {
    const auto device = make_device(kFull, [&](int call) { return call >= first; });
    try {
      run.stream(*device);
      FAIL() << "call " << first << " did not fail";
    } catch (const OutOfDeviceMemory& error) {
      EXPECT_EQ(error.detail().found, "CUDA out of memory. Tried to allocate 2.00 MiB.");
      EXPECT_THAT(error.detail().hint, HasSubstr("--batch-tokens"));
    }
  }
}

TEST_F(TorchFailures, EveryWordingOfFullMemoryIsKnown) {
  InProcessRun run;
  const auto sound = make_sound_device();
  const InProcessRun::Streamed expected = run.stream(*sound);
  for (const char* reason :
       {"CUDA error: out of memory", "HIP out of memory. Tried to allocate 2.00 MiB.",
        "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"}) {
    const auto device = make_device(reason, [](int call) { return call == 100; });
    EXPECT_TRUE(run.stream(*device).layers == expected.layers) << reason;
  }
}

/// Before 2.13 nobody says why: a device that is lost looks like a full one, in which nothing fits.
TEST_F(TorchFailures, APyTorchThatGivesNoReasonsEndsTooWhereItsDeviceIsLost) {
  give_no_reasons();
  const auto device = make_device("", [](int call) { return call >= 100; });
  EXPECT_THROW(InProcessRun().stream(*device), OutOfDeviceMemory);
}

TEST_F(TorchFailures, ALostDeviceIsAnErrorAndTheNextRunGoesOnWithTheWavesThatWereFinished) {
  const auto sound = make_sound_device();
  const InProcessRun::Statistics expected =
      InProcessRun({.batch_tokens = InProcessRun::kTokensOfThreeWaves}).encode(*sound).statistics;
  const int calls = FailingTorch::calls;
  for (const int first : spread(calls, 12)) {
    const TemporaryFolder store;
    InProcessRun run({.store = store.path(), .batch_tokens = InProcessRun::kTokensOfThreeWaves});
    const auto device = make_device(kLost, [&](int call) { return call >= first; });
    try {
      run.encode(*device);
      FAIL() << "call " << first << " did not fail";
    } catch (const RunError& error) {
      EXPECT_EQ(error.detail().what, "PyTorch failed");
      EXPECT_NE(error.detail().where, "");
      EXPECT_EQ(error.detail().found, "CUDA error: unspecified launch failure");
      EXPECT_THAT(error.detail().hint, HasSubstr("what was cached before stays valid"));
    }
    const auto next = make_sound_device();
    const InProcessRun::Encoded encoded = run.encode(*next);
    EXPECT_TRUE(encoded.statistics == expected) << "call " << first;
    EXPECT_TRUE(first <= calls / 2 || encoded.note.ends_with("from the activation cache")) << encoded.note;
    EXPECT_THAT(run.progress.warnings, ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace saescope
