#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/output_target.h"

namespace saescope {

/// A file that appears whole or not at all: written in the folder of its final place without a name, so that
/// a killed process leaves nothing behind, then flushed to disk, named and renamed. Where the file system has
/// no nameless files it has a temporary name from the start, and the destructor removes it; where these
/// cannot be linked they are copied. Without `commit` what lay at the final place stays as it was. A link is
/// followed; to a device or a pipe, `commit` writes everything through.
class AtomicFile {
 public:
  /// Creates missing parent folders. @throws RunError where the folder or file cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// @throws RunError when the disk is full or the write fails otherwise.
  void write(std::string_view bytes);
  /// Brings all that was written to the disk, so that `commit` needs no more room. Where several files belong
  /// together, all are flushed before the first is committed. @throws RunError.
  void flush();
  /// flush, rename, fsync of the folder. @throws RunError.
  void commit();
  /// The same for what can be made again: after a power cut it may be empty or missing. @throws RunError.
  void commit_without_flush();
  /// Whether it goes to a device, a pipe or a socket.
  bool is_stream() const { return target_.stream; }
  const std::filesystem::path& path() const { return path_; }

 private:
  int open_nameless(const std::filesystem::path& folder);
  int open_named(const std::filesystem::path& folder);
  bool give_name();
  bool copy_to_named();
  void open(const std::filesystem::path& folder);
  void write_through();
  void put_in_place();
  std::filesystem::path path_;  ///< as it was given, for messages
  OutputTarget target_;
  std::string temporary_;  ///< empty while the file has no name
  std::FILE* file_ = nullptr;
};

/// Texts are read whole: JSON, templates, configurations. What is larger than this is none of them.
inline constexpr uint64_t kLargestTextFile = uint64_t{256} << 20;

/// Reads a whole file.
/// @throws InputError where it does not exist, cannot be read or has more than `limit` bytes
/// (kLargestTextFile,
///         where it is not a regular file).
std::string read_file(const std::filesystem::path& path, uint64_t limit = kLargestTextFile);

/// Writes a whole file through AtomicFile.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
/// The same with commit_without_flush.
void write_note(const std::filesystem::path& path, std::string_view bytes);

}  // namespace saescope
