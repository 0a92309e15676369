#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace saescope::hostile {

/// What a child process left that was given bounded time and memory.
struct BoundedResult {
  int exit_code = -1;  ///< 128 + signal where it was killed
  bool timed_out = false;
  uint64_t peak_bytes = 0;  ///< largest resident set
  std::string err;          ///< the first MiB
};

/// Runs a program without a shell and waits for it. A process still running after `seconds` is killed.
/// Address space is bounded too, so that a mistake does not take this machine's memory.
BoundedResult run_bounded(const std::vector<std::string>& command, const std::filesystem::path& folder,
                          unsigned seconds);

/// Whether this build can tell what a process needs: sanitizers reserve terabytes and keep shadow memory.
constexpr bool memory_is_meaningful() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

}  // namespace saescope::hostile
