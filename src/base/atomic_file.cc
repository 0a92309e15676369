#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/nameless_file.h"

namespace saescope {
namespace {

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// The rename itself must survive a power cut, so the folder's entry is flushed too.
void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a folder that can be written but not read: nothing more can be done
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), target_(find_output_target(path_)) {
  if (target_.stream) {
    file_ = std::tmpfile();
    if (file_ == nullptr) throw system_error("cannot create a temporary file for", path_.string());
    return;
  }
  const std::filesystem::path folder = parent_of(target_.path);
  std::error_code error;
  if (target_.path != path_ && !std::filesystem::is_directory(folder, error)) {
    // A link to a disk that is not there must not become a folder on this one.
    throw InputError({.what = "is a link into a folder that does not exist",
                      .where = path_.string(),
                      .expected = folder.string(),
                      .hint = "mount the disk, create the folder, or remove the link"});
  }
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw RunError({.what = "cannot create the folder",
                    .where = folder.string(),
                    .found = error.message(),
                    .hint = "choose another output path"});
  }
  if (std::filesystem::is_directory(target_.path, error)) {
    throw InputError({.what = "is a folder",
                      .where = path_.string(),
                      .expected = "a path of a file to write",
                      .hint = "name a file below it"});
  }
  open(folder);
}

void AtomicFile::open(const std::filesystem::path& folder) {
  int fd = open_nameless(folder);
  if (fd < 0) fd = open_named(folder);
  if (fd < 0) throw system_error("cannot create a file in this folder", folder.string());
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    const RunError failure = system_error("cannot open a file in this folder", folder.string());
    ::close(fd);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    throw failure;
  }
}

/// @return a descriptor, or -1 where there are no such files or no way to name them later
int AtomicFile::open_nameless(const std::filesystem::path& folder) {
  return ::access("/proc/self/fd", F_OK) == 0 ? open_nameless_file(folder, O_RDWR) : -1;
}

int AtomicFile::open_named(const std::filesystem::path& folder) {
  temporary_ = (folder / ("." + target_.path.filename().string() + ".XXXXXX")).string();
  const int fd = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd < 0) return fd;
  // mkstemp's 0600 would hide results from a group that shares the folder.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd, 0666 & ~mask);
  return fd;
}

/// A nameless file gets a temporary name, since a link cannot take the place of another file.
bool AtomicFile::give_name() {
  const std::string nameless = fmt::format("/proc/self/fd/{}", fileno(file_));
  for (int number = 0;; ++number) {
    const std::filesystem::path name =
        parent_of(target_.path) /
        fmt::format(".{}.{}-{}", target_.path.filename().string(), ::getpid(), number);
    if (::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name.string();
      return true;
    }
    if (errno != EEXIST) return false;
  }
}

/// For file systems and sandboxes that have nameless files but no links.
bool AtomicFile::copy_to_named() {
  const int fd = open_named(parent_of(target_.path));
  bool good = fd >= 0;
  std::vector<char> block(1 << 16);
  off_t copied = 0;
  for (ssize_t size = 1; good && size > 0; copied += size) {
    size = ::pread(fileno(file_), block.data(), block.size(), copied);
    good = size >= 0 && ::write(fd, block.data(), static_cast<std::size_t>(size)) == size;
  }
  good = good && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!good) {
    const int reason = errno;
    if (fd >= 0) ::unlink(temporary_.c_str());
    temporary_.clear();
    errno = reason;
  }
  return good;
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) {
    std::fclose(file_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(std::string_view bytes) {
  if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    throw system_error("cannot write", path_.string(), "free space on this disk and run again");
  }
}

void AtomicFile::flush() {
  if (target_.stream) return;
  if (std::fflush(file_) != 0 || ::fsync(fileno(file_)) != 0) {
    throw system_error("cannot write", path_.string(), "free space on this disk and run again");
  }
}

/// Copies what was kept so far to where it belongs.
void AtomicFile::write_through() {
  const auto failure = [&] { return system_error("cannot write", path_.string()); };
  if (std::fflush(file_) != 0 || std::fseek(file_, 0, SEEK_SET) != 0) throw failure();
  const int fd = target_.descriptor ? ::dup(*target_.descriptor)
                                    : ::open(target_.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) throw failure();
  std::vector<char> block(1 << 16);
  bool good = true;
  for (std::size_t size = 0; good && (size = std::fread(block.data(), 1, block.size(), file_)) > 0;) {
    for (std::size_t done = 0; good && done < size;) {
      const ssize_t count = ::write(fd, block.data() + done, size - done);
      if (count > 0) done += static_cast<std::size_t>(count);
      good = count >= 0 || errno == EINTR;
    }
  }
  // A reader that has seen enough, such as `head`, is no failure.
  good = good || errno == EPIPE;
  if (!good) {
    const RunError error = failure();
    ::close(fd);
    throw error;
  }
  ::close(fd);
  std::fclose(std::exchange(file_, nullptr));
}

void AtomicFile::commit() {
  if (target_.stream) return write_through();
  flush();
  put_in_place();
  sync_folder(parent_of(target_.path));
}

void AtomicFile::commit_without_flush() {
  if (target_.stream) return write_through();
  if (std::fflush(file_) != 0) throw system_error("cannot write", path_.string());
  put_in_place();
}

/// Under its final name, in the place of what lay there.
void AtomicFile::put_in_place() {
  const bool named = !temporary_.empty() || give_name() || copy_to_named();
  if (!named || ::rename(temporary_.c_str(), target_.path.c_str()) != 0) {
    throw system_error("cannot put the finished file in place", path_.string());
  }
  std::fclose(std::exchange(file_, nullptr));
}

std::string read_file(const std::filesystem::path& path, uint64_t limit) {
  const auto failure = [&](const char* what) {
    return InputError({.what = what,
                       .where = path.string(),
                       .found = std::generic_category().message(errno),
                       .hint = "check the path and its permissions"});
  };
  const auto file =
      std::unique_ptr<std::FILE, int (*)(std::FILE*)>(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) throw failure("cannot open");
  struct stat status = {};
  const bool sized = ::fstat(fileno(file.get()), &status) == 0 && S_ISREG(status.st_mode);
  if (!sized) limit = std::min(limit, kLargestTextFile);  // a pipe or a device may never end
  uint64_t size = sized ? static_cast<uint64_t>(status.st_size) : 0;
  std::string text;
  if (size <= limit) text.reserve(size);
  std::string block(1 << 16, '\0');
  while (size <= limit) {
    const std::size_t n = std::fread(block.data(), 1, block.size(), file.get());
    if (n == 0) break;
    size = std::max<uint64_t>(size, text.size() + n);
    if (size <= limit) text.append(block, 0, n);
  }
  if (size > limit) {
    throw InputError({.what = "the file is too large",
                      .where = path.string(),
                      .expected = fmt::format("at most {} bytes of text", limit),
                      .found = sized ? std::to_string(size) + " bytes" : "no end after that"});
  }
  if (std::ferror(file.get()) != 0) throw failure("cannot read");
  return text;
}

void write_note(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit_without_flush();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace saescope
