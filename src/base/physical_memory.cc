#include "base/physical_memory.h"

#include <unistd.h>

#include <limits>

namespace saescope {

uint64_t physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  if (pages <= 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace saescope
