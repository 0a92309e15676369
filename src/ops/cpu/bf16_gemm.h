#pragma once

#include <memory>
#include <string>

#include "ops/cpu/gemm_problem.h"
#include "tensor/float16.h"

namespace saescope {

/// bfloat16 GEMM with float32 accumulation: oneDNN's matmul on the calling thread, with a cache of prepared
/// primitives. The only user of oneDNN, which it keeps from AMX: a row of the result has the same bits
/// whatever the other rows are. An object belongs to one thread.
class Bf16Gemm {
 public:
  Bf16Gemm();
  ~Bf16Gemm();
  /// Precondition: is_available()
  void run(const GemmProblem<BFloat16>& problem);
  /// Whether the processor (or oneDNN's ISA limit) multiplies bfloat16 in hardware. On Arm never: what oneDNN
  /// has there without the Arm Compute Library, as distributions package it, is its slow reference.
  static bool is_available();
  /// ONEDNN_MAX_CPU_ISA or, where that is empty, DNNL_MAX_CPU_ISA, in lower case; empty where both are.
  static std::string environment_limit();
  /// "oneDNN 2.6.3, avx512_core_bf16"; the instruction set has a name on x86 alone.
  static std::string description();

 private:
  void run_widened(const GemmProblem<BFloat16>& problem);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saescope
