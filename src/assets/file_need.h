#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace saescope {

/// A file that a run reads.
struct FileNeed {
  std::string repo;  ///< the hub's repository that has it; empty: it is a file of this machine alone
  std::string file;  ///< its path in the repository
  std::optional<std::filesystem::path> path;  ///< where it lies; nothing: it is to be downloaded
};

}  // namespace saescope
