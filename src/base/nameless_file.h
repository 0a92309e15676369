#pragma once

#include <filesystem>

namespace saescope {

/// Opens a file in a folder that has no name: it vanishes with its descriptor, however the process ends. Not
/// every file system has such files (NFS has none).
/// @param access O_WRONLY or O_RDWR @return a descriptor, or -1 with errno
int open_nameless_file(const std::filesystem::path& folder, int access);

}  // namespace saescope
