#pragma once

namespace saescope {

/// oneDNN allocates the memory in which it packs a matrix anew for each product. Kept on the heap it costs
/// nothing; by default glibc would give it back each time, and the system would clear its pages again.
/// (The program's own large arrays do not come from the heap.) Call it before threads start.
void keep_scratch_on_the_heap();

/// Gives free memory of the heap back, which does not happen by itself then: between stages, where much was
/// freed that the next one does not need.
void trim_heap();

}  // namespace saescope
