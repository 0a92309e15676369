// Put before the C library with LD_PRELOAD: notes every fsync and rename, with the file's inode and size, in
// the file that SAESCOPE_CALL_LOG names.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

void note(const char* call, const struct stat& file, const char* name) {
  const char* const path = std::getenv("SAESCOPE_CALL_LOG");
  if (path == nullptr) return;
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  const unsigned long long size = S_ISDIR(file.st_mode) ? 0 : static_cast<unsigned long long>(file.st_size);
  dprintf(fd, "%s %llu %llu %s\n", call, static_cast<unsigned long long>(file.st_ino), size, name);
  ::close(fd);
}

/// The C library's own function.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int fsync(int fd) {
  const int result = next<int(int)>("fsync")(fd);
  struct stat file {};
  if (result == 0 && ::fstat(fd, &file) == 0) note("fsync", file, "");
  return result;
}

extern "C" int rename(const char* from, const char* to) noexcept {
  struct stat file {};
  const bool known = ::stat(from, &file) == 0;
  const int result = next<int(const char*, const char*)>("rename")(from, to);
  if (result == 0 && known) note("rename", file, to);
  return result;
}
