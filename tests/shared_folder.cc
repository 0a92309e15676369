// Put before the C library with LD_PRELOAD: lets the folder that SAESCOPE_SHARED_FOLDER names behave as
// shared file systems do. Each is said by a variable of its own, and can be had alone:
//   SAESCOPE_SHARED_NO_TMPFILE  no nameless files (NFS, Lustre)
//   SAESCOPE_SHARED_NO_FLOCK    no locks (Lustre without -o flock)
//   SAESCOPE_SHARED_NO_LINK     no hard links (some FUSE file systems)
//   SAESCOPE_SHARED_LATE=S      for S seconds from its start the process sees what others made as if it was
//   not there
//                               (NFS, whose clients remember a folder's entries). Like NFS it shows what the
//                               process made itself, and what the server said was in its way (EEXIST).
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

/// The C library's own function.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

const Clock::time_point started = Clock::now();

std::string setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_shared(const std::string& path) {
  static const std::string folder = setting("SAESCOPE_SHARED_FOLDER");
  return !folder.empty() && path.starts_with(folder);
}

bool lacks(const char* what, const std::string& path) { return !setting(what).empty() && is_shared(path); }

/// Paths that the process sees whatever the time.
class Seen {
 public:
  void add(const std::string& path) {
    const std::lock_guard lock(mutex_);
    paths_.insert(path);
  }
  bool has(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return paths_.contains(path);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> paths_;
};

Seen& seen() {
  static Seen paths;
  return paths;
}

bool is_late(const std::string& path) {
  static const double seconds = std::atof(setting("SAESCOPE_SHARED_LATE").c_str());
  if (seconds <= 0 || !is_shared(path) || path == setting("SAESCOPE_SHARED_FOLDER")) return false;
  if (Clock::now() - started > std::chrono::duration<double>(seconds)) return false;
  return !seen().has(path);
}

/// Of what a call made, or found in its way.
int noted(int result, const char* path) {
  if (result == 0 || errno == EEXIST) seen().add(path);
  return result;
}

template <typename Result>
Result missing(Result result) {
  errno = ENOENT;
  return result;
}

std::string path_of(int fd) {
  std::string path(4096, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  path.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return path;
}

std::string absolute(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  return path_of(folder) + "/" + path;
}

}  // namespace

extern "C" int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  const std::string whole = absolute(folder, path);
  if ((flags & O_TMPFILE) == O_TMPFILE && lacks("SAESCOPE_SHARED_NO_TMPFILE", whole)) {
    errno = EOPNOTSUPP;
    return -1;
  }
  const bool makes = (flags & O_CREAT) != 0;
  if (!makes && (flags & O_TMPFILE) != O_TMPFILE && is_late(whole)) return missing(-1);
  const int fd = next<int(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
  if (makes && fd >= 0) seen().add(whole);
  return fd;
}

extern "C" int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return ::openat(AT_FDCWD, path, flags, mode);
}

extern "C" int mkostemp(char* path, int flags) {
  const int fd = next<int(char*, int)>("mkostemp")(path, flags);
  if (fd >= 0) seen().add(path);
  return fd;
}

extern "C" FILE* fopen(const char* path, const char* mode) {
  if (mode[0] == 'r' && is_late(path)) return missing<FILE*>(nullptr);
  return next<FILE*(const char*, const char*)>("fopen")(path, mode);
}

extern "C" int stat(const char* path, struct stat* status) noexcept {
  if (is_late(path)) return missing(-1);
  return next<int(const char*, struct stat*)>("stat")(path, status);
}

extern "C" int lstat(const char* path, struct stat* status) noexcept {
  if (is_late(path)) return missing(-1);
  return next<int(const char*, struct stat*)>("lstat")(path, status);
}

extern "C" struct dirent* readdir(DIR* folder) {
  const std::string path = path_of(dirfd(folder));
  for (;;) {
    struct dirent* const entry = next<struct dirent*(DIR*)>("readdir")(folder);
    if (entry == nullptr || entry->d_name[0] == '.' || !is_late(path + "/" + entry->d_name)) return entry;
  }
}

extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  return noted(next<int(const char*, mode_t)>("mkdir")(path, mode), path);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  return noted(next<int(const char*, const char*)>("rename")(from, to), to);
}

extern "C" int link(const char* from, const char* to) noexcept {
  if (lacks("SAESCOPE_SHARED_NO_LINK", to)) {
    errno = EPERM;
    return -1;
  }
  return noted(next<int(const char*, const char*)>("link")(from, to), to);
}

extern "C" int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  const std::string whole = absolute(to_folder, to);
  if (lacks("SAESCOPE_SHARED_NO_LINK", whole)) {
    errno = EPERM;
    return -1;
  }
  return noted(
      next<int(int, const char*, int, const char*, int)>("linkat")(from_folder, from, to_folder, to, flags),
      whole.c_str());
}

// The C library has a struct of the name, too.
extern "C" int take_lock(int fd, int operation) noexcept __asm__("flock");

extern "C" int take_lock(int fd, int operation) noexcept {
  if (lacks("SAESCOPE_SHARED_NO_FLOCK", path_of(fd))) {
    errno = ENOLCK;
    return -1;
  }
  return next<int(int, int)>("flock")(fd, operation);
}
