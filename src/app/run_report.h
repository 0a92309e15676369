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

/// What the closing summary says.
struct RunReport {
  struct Rows {
    std::string analysis;  ///< "universal" or "specific"
    std::string source;
    std::string token;
    uint64_t rows;
  };
  struct Stage {
    std::string name;
    double seconds;
  };
  std::vector<Rows> rows;
  std::vector<Stage> stages;
  std::vector<std::string> files;  ///< written, with what they hold
  std::vector<std::string> notes;  ///< left out prompts, device, …

  /// Adds to the stage of this name, which is appended on first use.
  void add_time(const std::string& stage, double seconds);
  std::string to_text() const;
};

/// Largest resident size of this process so far, in bytes.
uint64_t peak_resident_bytes();

}  // namespace saescope
