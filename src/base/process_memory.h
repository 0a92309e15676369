#pragma once

#include <cstdint>

namespace saescope {

/// oneDNN allocates the memory in which it packs a matrix anew for each product. Kept on the heap it costs
/// nothing; by default glibc would give it back each time, and the system would clear its pages again.
/// (The program's own large arrays do not come from the heap.) Call it before threads start.
void keep_scratch_on_the_heap();

/// Gives free memory of the heap back, which does not happen by itself then: between stages, where much was
/// freed that the next one does not need.
void trim_heap();

/// Libraries end the process when the address space runs out (ulimit -v) while they generate code or start
/// threads, so room is asked for before.
/// @param bytes what the run will allocate @param threads each has a stack and a heap of its own
/// @throws RunError where the limit leaves less
void require_address_space(uint64_t bytes, int threads);

/// Largest resident size of this process so far, in bytes.
uint64_t peak_resident_bytes();

}  // namespace saescope
