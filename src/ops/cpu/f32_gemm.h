#pragma once

#include "ops/cpu/gemm_problem.h"

namespace saescope {

/// Float32 GEMM on the calling thread. Every element of the result is summed in one order of k, so its bits
/// depend on its row of a and its output of b alone: not on other rows or outputs, nor on how b is stored.
/// oneDNN's float32 GEMM chooses among kernels that sum in different orders by the extents of the whole
/// problem.
void f32_gemm(const GemmProblem<float>& problem);

}  // namespace saescope
