#include "ops/cpu/cpu_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CpuBackendNames, TheDescriptionNamesTheKernelsThatRunAndTheLibrary) {
  for (const Kernels* kernels : runnable_kernels()) {
    const std::string description = CpuBackend(2, nullptr, *kernels).description();
    EXPECT_THAT(description, HasSubstr(std::string(kernels->name) + " kernels"));
    EXPECT_THAT(description,
                HasSubstr(kernels->bf16_gemm != nullptr ? kAmxNumerics : Bf16Gemm::description()));
    EXPECT_THAT(description, HasSubstr("2 threads"));
  }
}

#if !defined(__x86_64__)
/// oneDNN's numbers of instruction sets mean x86's elsewhere too, where they are others'.
TEST(CpuBackendNames, NoInstructionSetOfX86IsNamedOnAnotherProcessor) {
  EXPECT_THAT(Bf16Gemm::description(), Not(AnyOf(HasSubstr("avx"), HasSubstr("sse"))));
  EXPECT_FALSE(Bf16Gemm::is_available());
}
#endif

/// Activations that were cached on one processor serve another where the bits are the same, and only there.
TEST(CpuBackendNames, NumericsNameWhatTheBitsDependOnForEachDtype) {
  for (const Kernels* kernels : runnable_kernels()) {
    const CpuBackend backend(1, nullptr, *kernels);
    EXPECT_EQ(backend.numerics(DType::kF32), CpuBackend(2).numerics(DType::kF32));
    EXPECT_THAT(backend.numerics(DType::kF32), Not(HasSubstr("oneDNN")));
    EXPECT_THAT(backend.numerics(DType::kBF16),
                HasSubstr(kernels->bf16_gemm != nullptr ? kAmxNumerics
                          : Bf16Gemm::is_available()    ? Bf16Gemm::description()
                                                        : "bf16 values in float32"));
    EXPECT_THAT(backend.numerics(DType::kBF16), HasSubstr(kKernelNumerics));
  }
}

}  // namespace
}  // namespace saescope
