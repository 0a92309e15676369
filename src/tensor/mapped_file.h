#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace saescope {

/// A file mapped read-only. Moves, does not copy; pointers into it stay valid until it is destroyed.
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

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace saescope
