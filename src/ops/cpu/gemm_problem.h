#pragma once

#include <cstddef>

namespace saescope {

/// c = a · bᵀ (+ bias) (+ c), or c = a · b where b is stored transposed. @tparam A, B the elements of a and b
template <typename A, typename B = A>
struct GemmProblem {
  std::size_t m = 0, n = 0, k = 0;
  const A* a = nullptr;  ///< [m, k], rows `lda` elements apart
  std::size_t lda = 0;
  const B* b = nullptr;  ///< [n, k] (b_rows_are_outputs) or [k, n], rows `ldb` elements apart
  std::size_t ldb = 0;
  bool b_rows_are_outputs = true;
  const float* bias = nullptr;  ///< [n] or null
  float* c = nullptr;           ///< [m, n], rows `ldc` elements apart
  std::size_t ldc = 0;
  bool accumulate = false;  ///< adds to what c holds
};

}  // namespace saescope
