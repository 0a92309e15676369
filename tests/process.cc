#include "process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope::testing_support {
namespace {

[[noreturn]] void run_child(const std::vector<std::string>& command, const std::filesystem::path& folder,
                            const std::vector<std::string>& environment, const std::string& out,
                            const std::string& err) {
  const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(out_fd, STDOUT_FILENO);
  ::dup2(err_fd, STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  for (const std::string& entry : environment) ::putenv(const_cast<char*>(entry.c_str()));
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& folder,
                           const std::vector<std::string>& environment) {
  // Before the fork: a child may be killed before it opens them.
  for (const char* stream : {"out", "err"}) write_file_atomically(streams_ / stream, "");
  process_ = ::fork();
  if (process_ < 0) throw system_error("cannot fork", command.front());
  if (process_ == 0) run_child(command, folder, environment, streams_ / "out", streams_ / "err");
}

ChildProcess::~ChildProcess() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void ChildProcess::send(int signal) const { ::kill(process_, signal); }

ProcessResult ChildProcess::wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  ProcessResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(streams_ / "out");
  result.err = read_file(streams_ / "err");
  return result;
}

ProcessResult run_process(const std::vector<std::string>& command, const std::filesystem::path& folder,
                          const std::vector<std::string>& environment) {
  return ChildProcess(command, folder, environment).wait();
}

ProcessResult run_program(std::vector<std::string> arguments, const std::filesystem::path& folder,
                          const std::vector<std::string>& environment) {
  const char* const other = std::getenv("SAESCOPE_EXECUTABLE");
  arguments.insert(arguments.begin(), other == nullptr ? SAESCOPE_EXECUTABLE : other);
  return run_process(arguments, folder, environment);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "saescope-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw system_error("cannot create a folder", name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace saescope::testing_support
