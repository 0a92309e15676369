#include "engine/run_summary.h"

#include <sys/resource.h>

#include <algorithm>

namespace saescope {

void RunSummary::add_time(const std::string& stage, double seconds) {
  const auto found =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == stage; });
  if (found != stages.end()) {
    found->seconds += seconds;
    found->peak_bytes = peak_resident_bytes();
  } else {
    stages.push_back({stage, seconds, peak_resident_bytes()});
  }
}

uint64_t peak_resident_bytes() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr uint64_t kKibi = 1024;  // Linux counts ru_maxrss in KiB
  return static_cast<uint64_t>(usage.ru_maxrss) * kKibi;
}

}  // namespace saescope
