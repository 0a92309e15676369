#pragma once

#include <filesystem>
#include <optional>

namespace saescope {

/// What a path that is to be written leads to.
struct OutputTarget {
  /// Links followed, so that a link stays and the file behind it is replaced. What is there need not exist.
  std::filesystem::path path;
  bool stream = false;            ///< a device, a pipe or a socket: written through, never replaced
  std::optional<int> descriptor;  ///< of this process, which the path names: /dev/stdout, /dev/fd/N
};

/// @throws InputError on a circle of links
OutputTarget find_output_target(const std::filesystem::path& path);

/// Whether two paths lead to one file: by device and inode where both exist, else by name, links followed.
bool lead_to_one_file(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace saescope
