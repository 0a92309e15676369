#pragma once

#include "ops/cpu/gemm.h"

namespace saescope {

/// Float32 GEMM in vector code that every compiler target has. Used where oneDNN's own float32 GEMM does not
/// keep a row's bits when other rows come and go (before AVX-512, and on Arm).
/// Precondition: problem.type is kF32
void portable_gemm(const GemmProblem& problem, int threads);

}  // namespace saescope
