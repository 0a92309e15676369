#include "ops/host_array.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/checked.h"

namespace saescope {

Array allocate_host_array(std::size_t rows, std::size_t cols, DType dtype) {
  constexpr std::size_t kAlignment = 64;
  const auto elements = checked_mul(rows, cols);
  const auto bytes = elements ? checked_mul(*elements, layout_of(dtype).block_bytes) : std::nullopt;
  if (!bytes || *bytes > SIZE_MAX - 2 * kAlignment) throw std::bad_alloc();
  const std::size_t rounded = (*bytes / kAlignment + 1) * kAlignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  if (memory == nullptr) throw std::bad_alloc();
  return {std::shared_ptr<std::byte>(memory, [](std::byte* p) { std::free(p); }), dtype, rows, cols};
}

void copy_rows(MatrixView<const float> source, MatrixView<float> destination) {
  for (std::size_t r = 0; r < source.rows; ++r) {
    std::copy_n(source.row(r), source.cols, destination.row(r));
  }
}

}  // namespace saescope
