#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace saescope {

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// How a run went.
struct RunSummary {
  struct Stage {
    std::string name;
    double seconds;
    uint64_t peak_bytes;  ///< largest resident size of the process until the stage's end
  };

  std::vector<Stage> stages;
  std::vector<std::string> notes;  ///< left out prompts, …
  std::string device;              ///< what computed

  /// Adds to the stage of this name, which is appended on first use.
  void add_time(const std::string& stage, double seconds);
  /// Adds times and notes.
  void append(RunSummary&& other);
};

}  // namespace saescope
