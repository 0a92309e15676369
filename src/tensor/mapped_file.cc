#include "tensor/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "tensor/lost_pages.h"

namespace saescope {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  const auto failure = [&](const char* what, std::string found) {
    return InputError({.what = what,
                       .where = path_.string(),
                       .expected = "a readable, non-empty file",
                       .found = std::move(found)});
  };
  const FileDescriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) throw failure("cannot open", std::generic_category().message(errno));
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) throw failure("cannot read", "no file status");
  if (!S_ISREG(status.st_mode)) throw failure("cannot map", "not a regular file");
  if (status.st_size == 0) throw failure("cannot map", "an empty file");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) throw failure("cannot map", std::generic_category().message(errno));
  bytes_ = {static_cast<const std::byte*>(address), size};
  state_ = state_of(status);
  remember_mapping(bytes_, path_.string());
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  forget_mapping(bytes_);
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::State MappedFile::state_of(const struct stat& status) {
  constexpr int64_t kNanoseconds = 1'000'000'000;
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

void MappedFile::require_unchanged() const {
  struct stat status = {};
  if (::stat(path_.c_str(), &status) != 0) return;
  const State now = state_of(status);
  if (now.device != state_.device || now.inode != state_.inode || now == state_) return;
  throw RunError({.what = "the file was changed while the run read it",
                  .where = path_.string(),
                  .expected = fmt::format("{} bytes, unchanged until the run has ended", state_.size),
                  .found = fmt::format("{} bytes, written to meanwhile", now.size),
                  .hint = "let the program that writes it finish, check the file, and run again"});
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), state_(other.state_), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(state_, other.state_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace saescope
