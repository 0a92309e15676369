#include "base/process_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>  // defines __GLIBC__ where it is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"
#include "base/progress.h"

namespace saescope {
namespace {

// glibc reserves 64 MiB for a thread's heap and as much again while it aligns that; a stack takes 8 MiB.
constexpr uint64_t kPerThread = uint64_t{136} << 20;
constexpr uint64_t kForLibraries = uint64_t{128} << 20;  // oneDNN's generated code and scratch

/// Bytes that the process has mapped; 0 where the system does not say.
uint64_t mapped_bytes() {
  unsigned long long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%llu", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

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

void require_address_space(uint64_t bytes, int threads) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const uint64_t left = limit.rlim_cur - std::min<uint64_t>(limit.rlim_cur, mapped_bytes());
  const uint64_t needed = bytes + kForLibraries + kPerThread * static_cast<uint64_t>(threads);
  if (left >= needed) return;
  throw RunError({.what = "the limit on address space (ulimit -v) is too low for the run",
                  .expected = format_bytes(needed) + " beside what is mapped already",
                  .found = format_bytes(left),
                  .hint = "raise the limit, or lower --memory-limit, --batch-tokens or --threads"});
}

uint64_t peak_resident_bytes() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr uint64_t kKibi = 1024;  // Linux counts ru_maxrss in KiB
  return static_cast<uint64_t>(usage.ru_maxrss) * kKibi;
}

}  // namespace saescope
