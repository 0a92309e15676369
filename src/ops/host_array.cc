#include "ops/host_array.h"

#include <algorithm>
#include <new>

#include "base/checked.h"
#include "tensor/aligned_memory.h"

namespace saescope {

Array allocate_host_array(std::size_t rows, std::size_t cols, DType dtype) {
  const auto elements = checked_mul(rows, cols);
  const auto bytes = elements ? checked_mul(*elements, layout_of(dtype).block_bytes) : std::nullopt;
  if (!bytes || *bytes > SIZE_MAX) throw std::bad_alloc();
  const auto size = static_cast<std::size_t>(*bytes);
  auto* memory = static_cast<std::byte*>(allocate_aligned(size));
  return {std::shared_ptr<std::byte>(memory, [size](std::byte* p) { free_aligned(p, size); }), dtype, rows,
          cols};
}

void copy_to_array(MatrixView<const float> source, const Array& destination) {
  for (std::size_t r = 0; r < source.rows; ++r) {
    const float* const row = source.row(r);
    if (destination.dtype() == DType::kBF16) {
      std::transform(row, row + source.cols, destination.bf16().row(r),
                     [](float value) { return to_bfloat16(value); });
    } else {
      std::copy_n(row, source.cols, destination.f32().row(r));
    }
  }
}

void copy_from_array(const Array& source, MatrixView<float> destination) {
  for (std::size_t r = 0; r < destination.rows; ++r) {
    if (source.dtype() == DType::kBF16) {
      const BFloat16* const row = source.bf16().row(r);
      std::transform(row, row + source.cols(), destination.row(r), [](BFloat16 v) { return to_float(v); });
    } else {
      std::copy_n(source.f32().row(r), source.cols(), destination.row(r));
    }
  }
}

}  // namespace saescope
