#pragma once

#include <cstddef>

namespace saescope {

/// Every array starts at a cache line, and so at the widest vector.
inline constexpr std::size_t kArrayAlignment = 64;

/// Memory for an array; not initialised. Large arrays get pages of their own, which go back to the system
/// when they are freed: on the heap, arrays of a wave would leave holes that those of the next wave, slightly
/// larger, do not fit into, and a long run's memory would grow. @throws std::bad_alloc
void* allocate_aligned(std::size_t bytes);

/// @param bytes as they were asked for
void free_aligned(void* memory, std::size_t bytes) noexcept;

}  // namespace saescope
