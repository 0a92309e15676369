#pragma once

#include <filesystem>

#include "base/context.h"

namespace saescope {

/// A lock between processes on a file made for it (flock, as huggingface_hub's filelock does). Held for the
/// object's life; the file stays, as removing it would let two processes hold two locks of one name.
class FileLock {
 public:
  /// Waits until the lock is free. Where the file system knows no locks, goes on without one after
  /// a warning: checksums still keep a bad file from its final name.
  /// @throws FolderError where the lock file cannot be made; Interrupted
  FileLock(const std::filesystem::path& path, const Context& context);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace saescope
