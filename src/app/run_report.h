#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
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
    uint64_t peak_bytes;  ///< largest resident size of the process until the stage's end
  };
  std::vector<Rows> rows;
  std::vector<Stage> stages;
  std::vector<std::string> files;  ///< written, with what they hold
  std::vector<std::string> notes;  ///< left out prompts, …
  std::string device;              ///< what computed

  /// Adds to the stage of this name, which is appended on first use.
  void add_time(const std::string& stage, double seconds);
  /// Names a file that was written. @param what it has `count` of, such as "rows"
  void add_file(const std::filesystem::path& path, uint64_t count, const char* what);
  std::string to_text() const;
};

/// Largest resident size of this process so far, in bytes.
uint64_t peak_resident_bytes();

}  // namespace saescope
