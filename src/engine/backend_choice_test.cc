#include "engine/backend_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/progress.h"

namespace saescope {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class BackendChoice : public ::testing::Test {
 protected:
  SilentProgress progress;
  CancelToken cancel;
  Context context{1, &progress, &cancel};
};

TEST_F(BackendChoice, ASmallRunStaysOnTheProcessorAndSaysSoWhereThereIsAGpu) {
  const ChosenBackend chosen = choose_backend({DeviceKind::kAuto}, 1e6, context);
  EXPECT_THAT(chosen.backend->description(), StartsWith("cpu"));
  EXPECT_THAT(chosen.reason, AnyOf(IsEmpty(), HasSubstr("would not be quicker")));
}

TEST_F(BackendChoice, WhoeverNamesTheProcessorGetsItWithoutAWord) {
  const ChosenBackend chosen = choose_backend({DeviceKind::kCpu}, 1e20, context);
  EXPECT_THAT(chosen.backend->description(), StartsWith("cpu"));
  EXPECT_THAT(chosen.reason, IsEmpty());
}

TEST_F(BackendChoice, ADeviceThatIsNamedAndNotThereIsAnErrorAtOnceAndNotTheProcessor) {
  ::setenv("SAESCOPE_TORCH", "/nowhere", 1);
  EXPECT_THROW(require_device({DeviceKind::kCuda}), InputError);
  EXPECT_THROW(make_backend({DeviceKind::kCuda, 7}, context), InputError);
  ::unsetenv("SAESCOPE_TORCH");
  EXPECT_NO_THROW(require_device({DeviceKind::kCpu}));
}

}  // namespace
}  // namespace saescope
