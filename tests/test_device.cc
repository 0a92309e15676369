#include "test_device.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ops/cpu/cpu_backend.h"
#include "ops/torch/torch_testing.h"

namespace saescope::testing_support {
namespace {

/// Runs before all tests, and tells the executables where the PyTorch of the tests lies.
class TestDevice : public ::testing::Environment {
 public:
  void SetUp() override {
    if (!is_test_device_named()) return;
    try {
      ::setenv("SAESCOPE_TORCH", find_torch_for_tests().c_str(), 1);
    } catch (const InputError& error) {
      GTEST_SKIP() << "skipped, nothing was tested: " << error.what();
    }
  }
};

const ::testing::Environment* const kTestDevice = ::testing::AddGlobalTestEnvironment(new TestDevice);

}  // namespace

bool is_test_device_named() { return !environment_text("SAESCOPE_TEST_DEVICE").empty(); }

std::unique_ptr<Backend> make_test_backend() {
  if (!is_test_device_named()) return std::make_unique<CpuBackend>(2);
  std::string reason;
  auto backend = make_torch_backend(reason);
  if (backend == nullptr) throw std::runtime_error(reason);
  return backend;
}

std::vector<std::string> device_arguments() {
  if (!is_test_device_named()) return {};
  return {"--device", environment_text("SAESCOPE_TEST_DEVICE")};
}

}  // namespace saescope::testing_support
