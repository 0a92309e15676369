#pragma once

#include <filesystem>
#include <string>

namespace saescope {

/// Creates a folder that downloads go to, and its parents.
/// @throws FolderError where that fails or files cannot be made in it
void create_writable_folder(const std::filesystem::path& folder);

/// Removes what older versions of a file left unfinished: everything beside `keep` whose name begins with
/// `prefix` and ends in ".incomplete".
void remove_stale(const std::filesystem::path& keep, const std::string& prefix);

}  // namespace saescope
