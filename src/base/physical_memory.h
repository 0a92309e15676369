#pragma once

#include <cstdint>

namespace saescope {

/// Bytes of memory that this machine has; the largest number where the system does not say.
uint64_t physical_memory();

}  // namespace saescope
