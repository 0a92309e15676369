#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace saescope::testing_support {

/// What a finished child process left.
struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal where it was killed
  std::string out;
  std::string err;
};

/// Runs a program without a shell and waits for it.
/// @param environment "NAME=value" entries set on top of this process's own
ProcessResult run_process(const std::vector<std::string>& command, const std::filesystem::path& folder = ".",
                          const std::vector<std::string>& environment = {});

/// run_process of the built executable.
ProcessResult run_program(std::vector<std::string> arguments, const std::filesystem::path& folder = ".",
                          const std::vector<std::string>& environment = {});

/// A fresh folder that is removed in the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace saescope::testing_support
