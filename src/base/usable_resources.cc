#include "base/usable_resources.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <vector>

#include "base/cgroup.h"

namespace saescope {
namespace {

/// Processors that the calling thread may be scheduled on. The kernel refuses a set that is smaller than its
/// own.
int schedulable_processors() {
  constexpr std::size_t kMostBytes = std::size_t{1} << 16;
  for (std::size_t bytes = sizeof(cpu_set_t); bytes <= kMostBytes; bytes *= 2) {
    std::vector<cpu_set_t> sets(bytes / sizeof(cpu_set_t));
    if (::sched_getaffinity(0, bytes, sets.data()) == 0) return CPU_COUNT_S(bytes, sets.data());
    if (errno != EINVAL) break;
  }
  return machine_processors();
}

uint64_t physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  if (pages <= 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

int machine_processors() { return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN))); }

int usable_processors(const std::filesystem::path& root) {
  const int64_t schedulable = schedulable_processors();
  return static_cast<int>(std::min(schedulable, read_cgroup_limits(root).processors.value_or(schedulable)));
}

uint64_t usable_memory(const std::filesystem::path& root) {
  return std::min(physical_memory(),
                  read_cgroup_limits(root).memory.value_or(std::numeric_limits<uint64_t>::max()));
}

}  // namespace saescope
