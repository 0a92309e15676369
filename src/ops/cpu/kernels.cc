#include "ops/cpu/kernels.h"

// Highway (github.com/google/highway) includes this file once for every instruction set that a kernel is
// built for: those of x86 from the compiler's baseline (AVX2) to AVX3, its name for the AVX-512 of Skylake-X.
// Lower bits are larger sets; they have nothing that these kernels use, nor has SVE beside NEON. AES is part
// of its AVX2, not of the baseline.
#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (HWY_AVX3 - 1)
#define HWY_DISABLE_PCLMUL_AES
#else
#define HWY_COMPILE_ONLY_STATIC
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/kernels.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include "ops/cpu/elementwise-inl.h"
#include "ops/cpu/f32_gemm-inl.h"
#include "ops/cpu/grow_buffer.h"
#include "ops/cpu/tree_attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

constexpr const char* kName = HWY_TARGET == HWY_AVX2 ? "avx2" : HWY_TARGET == HWY_AVX3 ? "avx512" : "neon";
constexpr Kernels kKernels = {kName,     f32_gemm<float>, f32_gemm<BFloat16>, attend, rms_norm, glu,
                              store_row, rotate};

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace saescope {
namespace {

struct BuiltKernels {
  int64_t target;
  const Kernels* kernels;
};

#if HWY_TARGETS & HWY_AVX3
constexpr Kernels with_tiles(Kernels kernels) {
  kernels.name = "amx";
  kernels.bf16_gemm = amx_gemm;
  return kernels;
}
constexpr Kernels kAmxKernels = with_tiles(N_AVX3::kKernels);
#endif

/// The best first; the last are those of the instruction set that the whole program is compiled for.
constexpr BuiltKernels kBuilt[] = {
#if HWY_TARGETS & HWY_AVX3
    {HWY_AVX3, &kAmxKernels},
#endif
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    {HWY_AVX3, &N_AVX3::kKernels},
#endif
    {HWY_STATIC_TARGET, &HWY_STATIC_DISPATCH(kKernels)}};

bool runs_here(const BuiltKernels& built) {
  if (built.kernels->bf16_gemm != nullptr && !amx_is_available()) return false;
  return built.target == HWY_STATIC_TARGET || (hwy::SupportedTargets() & built.target) != 0;
}

}  // namespace

std::vector<const Kernels*> built_kernels() {
  std::vector<const Kernels*> all;
  for (const BuiltKernels& built : kBuilt) all.push_back(built.kernels);
  return all;
}

std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> runnable;
  for (const BuiltKernels& built : kBuilt) {
    if (runs_here(built)) runnable.push_back(built.kernels);
  }
  return runnable;
}

void F32GemmWorkspace::reserve(std::size_t panel_elements, std::size_t row_elements) {
  grow_buffer(panels, panel_elements);
  grow_buffer(rows, row_elements);
}

AttentionWorkspace::AttentionWorkspace(std::size_t max_rows, std::size_t head_dim)
    : padded_dim((head_dim + kWidestPanel - 1) / kWidestPanel * kWidestPanel),
      queries(max_rows * head_dim),
      keys(head_dim * kWidestPanel),
      values(kAttentionTile * kWidestPanel),
      scores(max_rows * kAttentionTile),
      sums(max_rows * padded_dim),
      top(max_rows),
      total(max_rows) {}

}  // namespace saescope
#endif
