#pragma once

#include <cstdint>
#include <optional>

#include "base/checked.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Product of the extents of a shape read from a file; nothing where 64 bits do not hold it.
inline std::optional<uint64_t> checked_element_count(const Shape& shape) {
  std::optional<uint64_t> count = 1;
  for (const uint64_t extent : shape) {
    if (count) count = checked_mul(*count, extent);
  }
  return count;
}

/// Whether typed pointers may point at elements of `dtype` at this byte of a file (which is mapped
/// at a page's start). Quantised blocks are read byte by byte and may lie anywhere.
inline bool is_aligned(uint64_t offset, DType dtype) {
  return is_quantized(dtype) || offset % layout_of(dtype).block_bytes == 0;
}

}  // namespace saescope
