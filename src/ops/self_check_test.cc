#include "ops/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/cpu/cpu_backend.h"
#include "ops/torch/torch_testing.h"

namespace saescope {
namespace {

TEST(SelfCheck, SoundBackendsPass) {
  CpuBackend cpu(2);
  EXPECT_NO_THROW(check_operators(cpu));
  EXPECT_TRUE(keeps_rows_apart(cpu));
}

TEST(SelfCheck, PyTorchsDevicePasses) {
  std::string reason;
  const auto torch = testing_support::make_torch_backend(reason);
  if (!torch) GTEST_SKIP() << "skipped, nothing was tested: " << reason;
  EXPECT_NO_THROW(check_operators(*torch));
  EXPECT_TRUE(keeps_rows_apart(*torch));
}

}  // namespace
}  // namespace saescope
