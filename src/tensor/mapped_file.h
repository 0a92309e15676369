#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

struct stat;

namespace saescope {

/// A file mapped read-only. Moves, does not copy; pointers into it stay valid until it is destroyed.
///
/// Reading beyond the end of a file that became shorter ends the process with SIGBUS; see
/// report_lost_pages().
class MappedFile {
 public:
  MappedFile() = default;
  /// @throws InputError where the file cannot be opened, is empty or is no regular file.
  explicit MappedFile(std::filesystem::path path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

  /// What was read so far is what the file held at the beginning. A file that was replaced or deleted
  /// meanwhile is no change: the mapping keeps the old one.
  /// @throws RunError where another program wrote to the file since it was mapped
  void require_unchanged() const;

 private:
  /// Size, and time of the last change in nanoseconds.
  struct State {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t modified = 0;
    bool operator==(const State&) const = default;
  };
  static State state_of(const struct stat& status);

  std::filesystem::path path_;
  State state_;
  std::span<const std::byte> bytes_;
};

}  // namespace saescope
