#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "hub/digest.h"
#include "hub/hub.h"

namespace saescope {

/// A file on its way: grows under a temporary name and gets its final one only when size and checksum are
/// what the hub announced. Left as it is when abandoned, so that a later run goes on from there.
class PartialFile {
 public:
  /// Opens or creates `path`, and reads what an earlier run left there into the checksum.
  /// @throws RunError where it cannot be opened or read; Interrupted
  PartialFile(std::filesystem::path path, const HubFileInfo& expected, const Context& context);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  /// Bytes here.
  uint64_t size() const { return size_; }
  bool is_complete() const { return expected_.size ? size_ == *expected_.size : ended_; }
  /// Says that the server sent everything, which counts where the hub announced no size.
  void end() { ended_ = true; }
  /// @throws WrongContent past the announced size; RunError where the disk is full
  void append(std::string_view bytes);
  /// Throws away what is here.
  void restart();
  /// Flushes to disk, checks, renames to `destination`. Precondition: is_complete().
  /// @throws WrongContent where the checksum differs (and the bytes are gone); RunError
  void commit(const std::filesystem::path& destination);

 private:
  void read_existing(const Context& context);
  /// Of a file whose size came only with its bytes: the checksum that needed the size first.
  void read_digest();

  std::filesystem::path path_;
  HubFileInfo expected_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool ended_ = false;
  std::optional<Digest> digest_;  ///< nothing where the etag is no checksum
};

}  // namespace saescope
