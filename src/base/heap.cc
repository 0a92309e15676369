#include "base/heap.h"

#include <cstdlib>  // defines __GLIBC__ where it is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace saescope {

void keep_scratch_on_the_heap() {
#ifdef __GLIBC__
  constexpr int kLargestOnHeap = 32 << 20;  // the most that glibc takes
  mallopt(M_MMAP_THRESHOLD, kLargestOnHeap);
  mallopt(M_TRIM_THRESHOLD, 2 * kLargestOnHeap);
#endif
}

void trim_heap() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace saescope
