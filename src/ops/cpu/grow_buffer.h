#pragma once

#include <cstddef>

#include "tensor/buffer.h"

namespace saescope {

/// Makes room for so many elements in a workspace that is used again. What it held is lost where it grows.
template <typename T>
void grow_buffer(Buffer<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer = Buffer<T>(size);
}

}  // namespace saescope
