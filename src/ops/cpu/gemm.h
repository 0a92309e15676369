#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tensor/dtype.h"

namespace saescope {

/// c = a · b (+ bias) (+ c), float32 accumulation and result.
struct GemmProblem {
  DType type = DType::kF32;  ///< of a and b: kF32 or kBF16
  std::size_t m = 0, n = 0, k = 0;
  const void* a = nullptr;  ///< [m, k], rows `lda` elements apart
  std::size_t lda = 0;
  const void* b = nullptr;  ///< [n, k] (b_rows_are_outputs) or [k, n], rows `ldb` elements apart
  std::size_t ldb = 0;
  bool b_rows_are_outputs = true;
  const float* bias = nullptr;  ///< [n] or null
  float* c = nullptr;           ///< [m, n], rows `ldc` elements apart
  std::size_t ldc = 0;
  bool accumulate = false;  ///< adds to what c holds
};

/// oneDNN's matmul with a cache of prepared primitives. The only user of oneDNN.
/// Each row of the result has the same bits whatever m and the number of threads. Not thread-safe.
class Gemm {
 public:
  Gemm();
  ~Gemm();
  void run(const GemmProblem& problem);
  /// Whether the processor (or oneDNN's ISA limit) multiplies bfloat16 in hardware.
  static bool has_native_bf16();
  /// Whether float32 rows keep their bits whatever the other rows are; see portable_gemm.h where not.
  static bool has_invariant_f32();
  /// "oneDNN 2.6.3, avx512_core_bf16".
  static std::string description();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saescope
