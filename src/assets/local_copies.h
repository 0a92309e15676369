#pragma once

#include <filesystem>

#include "base/context.h"

namespace saescope {

/// Copies of files on a disk of this machine. Each is made once, by the process that needs it first; the
/// others wait for it. A copy is known by its original's place, size and time of change.
class LocalCopies {
 public:
  /// Nothing is copied.
  LocalCopies() = default;
  /// @param folder empty: nothing is copied @param context must outlive this
  LocalCopies(std::filesystem::path folder, const Context& context);

  /// Path of a file's copy, or its own where nothing is copied. A disk that has no room for it is reported,
  /// and the file is read where it lies. @throws Interrupted
  std::filesystem::path of(const std::filesystem::path& file) const;

 private:
  void copy(const std::filesystem::path& from, const std::filesystem::path& to) const;

  std::filesystem::path folder_;
  const Context* context_ = nullptr;
};

}  // namespace saescope
