#pragma once

#include <filesystem>
#include <string>

namespace saescope {

/// What lies in a folder, for messages about what is missing there: "a.bin, b.json and 3 more", "an empty
/// folder", "no such folder".
std::string list_folder(const std::filesystem::path& folder);

}  // namespace saescope
