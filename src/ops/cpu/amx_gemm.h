#pragma once

#include <cstddef>

#include "ops/cpu/gemm_problem.h"
#include "tensor/buffer.h"
#include "tensor/float16.h"

namespace saescope {

/// What amx_gemm packs its operands into; grows with the problems it has seen.
struct AmxGemmWorkspace {
  Buffer<BFloat16> outputs;  ///< b in tiles: whole, or a panel
  Buffer<BFloat16> rows;     ///< some k of some rows of a, in tiles
  Buffer<float> sums;        ///< of these rows and some outputs, in tiles
};

/// What the workspace takes for a problem of these sizes.
std::size_t amx_workspace_bytes(std::size_t m, std::size_t n, std::size_t k);

/// A name for the bits that amx_gemm gives: another one whenever they change.
inline constexpr const char* kAmxNumerics = "AMX kernel 1";

/// Whether the processor multiplies bfloat16 in tiles (AMX), the system grants this process their registers,
/// and the environment's limit of oneDNN is not below AMX: it means the processor, whoever multiplies.
bool amx_is_available();

/// bfloat16 GEMM on x86, with float32 accumulation on the calling thread. Every element of the result is
/// summed in one order, which depends on k alone: so do its bits on its row of a and its output of b, not on
/// other rows or outputs, nor on how b is stored. Numbers below the normal ones count as zeros. Precondition:
/// amx_is_available(), nothing is empty
void amx_gemm(const GemmProblem<BFloat16>& problem, AmxGemmWorkspace& work);

}  // namespace saescope
