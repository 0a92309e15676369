#pragma once

#include <sys/types.h>

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

/// A program started without a shell, while the test goes on.
class ChildProcess {
 public:
  /// @param environment "NAME=value" entries set on top of this process's own
  explicit ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& folder = ".",
                        const std::vector<std::string>& environment = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void send(int signal) const;
  /// Until it has ended.
  ProcessResult wait();

 private:
  TemporaryFolder streams_;
  pid_t process_ = -1;
};

/// Runs a program to its end.
ProcessResult run_process(const std::vector<std::string>& command, const std::filesystem::path& folder = ".",
                          const std::vector<std::string>& environment = {});

/// run_process of the built executable, or of the one that the environment's SAESCOPE_EXECUTABLE names.
ProcessResult run_program(std::vector<std::string> arguments, const std::filesystem::path& folder = ".",
                          const std::vector<std::string>& environment = {});

}  // namespace saescope::testing_support
