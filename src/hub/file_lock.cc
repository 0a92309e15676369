#include "hub/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "hub/hub.h"

namespace saescope {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr mode_t kGroupWritable = 0664;  // people who share a cache share its locks

FolderError folder_error(const std::filesystem::path& folder, const std::string& reason) {
  return FolderError({.what = "cannot create or write the folder files are downloaded to",
                      .where = folder.string(),
                      .found = reason,
                      .hint = "choose a folder you may write, or change its permissions"});
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, const Context& context) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) throw folder_error(path.parent_path(), error.message());
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kGroupWritable);
  if (fd_ < 0) throw folder_error(path.parent_path(), std::generic_category().message(errno));
  bool told = false;
  try {
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) {
        context.progress->warn(
            fmt::format("{}: this file system has no locks; do not let two runs fetch "
                        "the same files at once",
                        path.parent_path().string()));
        return;
      }
      if (!told) {
        context.progress->info(
            fmt::format("{}: waiting for another run that fetches the same file", path.string()));
      }
      told = true;
      context.cancel->check();
      std::this_thread::sleep_for(kPoll);
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace saescope
