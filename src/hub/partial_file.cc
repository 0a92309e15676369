#include "hub/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/error.h"
#include "hub/hub_answer.h"
#include "hub/hub_client.h"
#include "hub/names.h"

namespace saescope {
namespace {

constexpr std::size_t kBlock = 1 << 20;  // bytes
constexpr std::size_t kSha1Digits = 40;
constexpr const char* kDiskHint = "free space on this disk and run again; what is here is kept";

std::optional<Digest> digest_for(const HubFileInfo& expected) {
  if (expected.sha256) return Digest::sha256();
  if (expected.size && is_hex(expected.etag, kSha1Digits)) return Digest::git_blob(*expected.size);
  return std::nullopt;
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, const HubFileInfo& expected, const Context& context)
    : path_(std::move(path)), expected_(expected), digest_(digest_for(expected)) {
  constexpr mode_t kUpToUmask = 0666;
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kUpToUmask);
  if (fd_ < 0) throw system_error("cannot open", path_.string());
  try {
    read_existing(context);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PartialFile::read_existing(const Context& context) {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw system_error("cannot read", path_.string());
  // Without a size nothing tells whether what an earlier run left is a beginning or the whole.
  if (!expected_.size || std::cmp_greater(status.st_size, *expected_.size)) return restart();
  std::vector<char> block(kBlock);
  while (true) {
    context.cancel->check();
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("cannot read", path_.string());
    if (count == 0) return;
    const auto bytes = static_cast<std::size_t>(count);
    if (digest_) digest_->update({block.data(), bytes});
    size_ += bytes;
  }
}

void PartialFile::append(std::string_view bytes) {
  if (expected_.size && bytes.size() > *expected_.size - size_) {
    throw WrongContent({.what = "the server sends more bytes than the hub announced",
                        .where = path_.string(),
                        .expected = size_text(expected_),
                        .found = "more",
                        .hint = "run again; a proxy in between may alter files"});
  }
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("cannot write", path_.string(), kDiskHint);
    const auto written = static_cast<std::size_t>(count);
    // Byte by byte with the file, so that a failure here leaves the checksum true to what is on disk.
    if (digest_) digest_->update(rest.substr(0, written));
    size_ += written;
    rest.remove_prefix(written);
  }
}

void PartialFile::restart() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) {
    throw system_error("cannot write", path_.string());
  }
  size_ = 0;
  ended_ = false;
  digest_ = digest_for(expected_);
}

void PartialFile::read_digest() {
  if (digest_ || !is_hex(expected_.etag, kSha1Digits)) return;
  digest_ = Digest::git_blob(size_);
  if (::lseek(fd_, 0, SEEK_SET) != 0) throw system_error("cannot read", path_.string());
  std::vector<char> block(kBlock);
  while (true) {
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("cannot read", path_.string());
    if (count == 0) return;
    digest_->update({block.data(), static_cast<std::size_t>(count)});
  }
}

void PartialFile::commit(const std::filesystem::path& destination) {
  read_digest();
  if (digest_) {
    const std::string found = digest_->finish();
    if (found != expected_.etag) {
      restart();
      throw WrongContent(
          {.what = "the downloaded file is damaged: its checksum is not the one the hub announced",
           .where = destination.string(),
           .expected = expected_.etag,
           .found = found,
           .hint = "run again; a proxy in between may alter files"});
    }
  }
  if (::fsync(fd_) != 0) throw system_error("cannot write", path_.string(), kDiskHint);
  if (::rename(path_.c_str(), destination.c_str()) != 0) {
    throw system_error("cannot put the finished file in place", destination.string());
  }
}

}  // namespace saescope
