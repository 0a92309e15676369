#include "ops/cpu/elementwise.h"

namespace saescope {

RowOutput row_output(const Array& out, std::size_t r, std::size_t first_col) {
  if (out.dtype() == DType::kBF16) return {.bf16 = out.bf16().row(r) + first_col};
  return {.f32 = out.f32().row(r) + first_col};
}

void cpu_rms_norm(const Kernels& kernels, const Array& x, std::span<const float> weight, float epsilon,
                  const Array& out, Store store, int threads) {
  const std::size_t size = weight.size();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t r = 0; r < x.rows(); ++r) {
    for (std::size_t first = 0; first < x.cols(); first += size) {
      kernels.rms_norm(x.f32().row(r) + first, weight.data(), size, epsilon, row_output(out, r, first),
                       store);
    }
  }
}

void cpu_glu(const Kernels& kernels, GateFunction function, MatrixView<const float> gate,
             MatrixView<const float> up, const Array& out, std::size_t first_col) {
  for (std::size_t r = 0; r < gate.rows; ++r) {
    kernels.glu(function, gate.row(r), up.row(r), gate.cols, row_output(out, r, first_col));
  }
}

void cpu_rope(const Kernels& kernels, const Array& x, std::span<const int32_t> positions, RopeLayout layout,
              const RopeTable& table, std::size_t half, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t r = 0; r < x.rows(); ++r) {
    float* const row = x.f32().row(r);
    for (float* head = row; head != row + x.cols(); head += 2 * half) {
      kernels.rotate(head, table.cosine(positions[r]), table.sine(positions[r]), half, layout);
    }
  }
}

}  // namespace saescope
