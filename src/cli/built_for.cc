#include "cli/built_for.h"

namespace saescope {

constinit const InstructionSets kBuiltFor = {
#ifdef __AVX2__
    .avx2 = true,
#endif
#ifdef __FMA__
    .fma = true,
#endif
#ifdef __AVX512F__
    .avx512f = true,
#endif
#ifdef __AVX512BW__
    .avx512bw = true,
#endif
#ifdef __AVX512DQ__
    .avx512dq = true,
#endif
#ifdef __AVX512VL__
    .avx512vl = true,
#endif
#ifdef __ARM_FEATURE_SVE
    .sve = true,
#endif
};

}  // namespace saescope
