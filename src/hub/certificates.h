#pragma once

#include <filesystem>

namespace saescope {

/// Where the distribution at hand keeps the certificates that its programs trust, a file or a folder; empty
/// where none of the known places exists. libcurl knows the place of the system that it was built on alone.
/// @param root what the known places lie below
std::filesystem::path find_system_certificates(const std::filesystem::path& root = "/");

}  // namespace saescope
