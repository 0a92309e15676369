#include "engine/run_summary.h"

#include <algorithm>

#include "base/process_memory.h"

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

void RunSummary::append(RunSummary&& other) {
  for (const Stage& stage : other.stages) add_time(stage.name, stage.seconds);
  for (std::string& note : other.notes) notes.push_back(std::move(note));
}

}  // namespace saescope
