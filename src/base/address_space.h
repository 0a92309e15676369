#pragma once

#include <cstdint>

namespace saescope {

/// Libraries end the process when the address space runs out (ulimit -v) while they generate code or start
/// threads, so room is asked for before.
/// @param bytes what the run will allocate @param threads each has a stack and a heap of its own
/// @throws RunError where the limit leaves less
void require_address_space(uint64_t bytes, int threads);

}  // namespace saescope
