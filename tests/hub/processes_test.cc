// Several processes at once, and processes that are killed.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

class HubProcesses : public HubTest {
 protected:
  HubProcesses()
      : content(test_bytes(1'000'000)), etag(server.add_file("org/model", "w.bin", content, true)) {
    ::setenv("HF_ENDPOINT", server.endpoint().c_str(), 1);
    ::setenv("HF_HUB_CACHE", settings.cache.c_str(), 1);
    ::setenv("HF_HOME", folder.c_str(), 1);
    for (const char* name : {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"}) ::unsetenv(name);
  }

  pid_t start() {
    const std::string program = SAESCOPE_HUB_FETCH;
    std::array<std::string, 3> words = {program, "org/model", "w.bin"};
    std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t process = -1;
    EXPECT_EQ(::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return process;
  }

  /// The exit code, or -1 where a signal ended the process.
  static int wait_for(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path blob() const { return repo_folder() / "blobs" / etag; }
  fs::path incomplete() const { return repo_folder() / "blobs" / (etag + ".incomplete"); }

  std::string content;
  std::string etag;
};

TEST_F(HubProcesses, SeveralAtOnceDownloadOneGoodCopyOnce) {
  server.set_hook(spoil_first(100, "GET", [](HubReply& reply) { reply.bytes_per_second = 4'000'000; }));
  const std::array<pid_t, 4> processes = {start(), start(), start(), start()};
  for (const pid_t process : processes) EXPECT_EQ(wait_for(process), 0);
  EXPECT_EQ(server.count("GET"), 1U);
  EXPECT_EQ(read_file(blob()), content);
  EXPECT_EQ(make_hub().find_cached("org/model", "w.bin"),
            repo_folder() / "snapshots" / server.commit("org/model") / "w.bin");
}

TEST_F(HubProcesses, AKilledDownloadLeavesNoFileAndIsResumed) {
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.stall_after = 300'000; }));
  const pid_t process = start();
  while (!fs::exists(incomplete()) || fs::file_size(incomplete()) < 300'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(process, SIGKILL);
  EXPECT_EQ(wait_for(process), -1);
  EXPECT_FALSE(fs::exists(blob()));
  EXPECT_EQ(make_hub().find_cached("org/model", "w.bin"), std::nullopt);

  EXPECT_EQ(wait_for(start()), 0);
  EXPECT_EQ(server.requests().back().header("range"), "bytes=300000-");
  EXPECT_EQ(read_file(blob()), content);
}

TEST_F(HubProcesses, AWaitingRunGoesOnWhereTheFirstWasKilled) {
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.stall_after = 300'000; }));
  const pid_t first = start();
  while (!fs::exists(incomplete()) || fs::file_size(incomplete()) < 300'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const pid_t second = start();
  while (server.count("HEAD") < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(first, SIGKILL);
  wait_for(first);
  EXPECT_EQ(wait_for(second), 0);
  EXPECT_EQ(read_file(blob()), content);
  EXPECT_EQ(server.requests().back().header("range"), "bytes=300000-");
}

TEST_F(HubProcesses, TheEnvironmentKeepsAProcessOffline) {
  ::setenv("HF_HUB_OFFLINE", "1", 1);
  EXPECT_EQ(wait_for(start()), 2);
  ::unsetenv("HF_HUB_OFFLINE");
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace saescope
