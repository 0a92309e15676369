#include "hostile/bounded_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "process.h"

namespace saescope::hostile {
namespace {

constexpr rlim_t kAddressSpace = rlim_t{8} << 30;
constexpr std::size_t kKeptOfErr = std::size_t{1} << 20;

[[noreturn]] void run_child(const std::vector<std::string>& command, const std::filesystem::path& folder,
                            unsigned seconds, const std::string& out, const std::string& err) {
  constexpr int kOwnerOnly = 0600;
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kOwnerOnly), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kOwnerOnly), STDERR_FILENO);
  constexpr int kFailed = 126;
  if (::chdir(folder.c_str()) != 0) ::_exit(kFailed);
  ::setenv("HOME", folder.c_str(), 1);  // no cache, no token, no configuration of the user
  ::setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  if (memory_is_meaningful()) {
    const rlimit limit = {kAddressSpace, kAddressSpace};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  const rlimit no_core = {0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::alarm(seconds);  // outlives exec
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(kFailed);
}

std::string first_bytes(const std::string& path) {
  std::string text(kKeptOfErr, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

BoundedResult run_bounded(const std::vector<std::string>& command, const std::filesystem::path& folder,
                          unsigned seconds) {
  const testing_support::TemporaryFolder streams;
  const std::string err = streams / "err";
  const pid_t child = ::fork();
  if (child < 0) throw system_error("cannot fork", command.front());
  if (child == 0) run_child(command, folder, seconds, streams / "out", err);
  int status = 0;
  rusage usage = {};
  ::wait4(child, &status, 0, &usage);
  BoundedResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.timed_out = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  result.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  result.err = first_bytes(err);
  return result;
}

}  // namespace saescope::hostile
