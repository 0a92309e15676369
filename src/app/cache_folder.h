#pragma once

#include <filesystem>

namespace saescope {

/// `$XDG_CACHE_HOME/saescope`, or `~/.cache/saescope`: where the program keeps what it can make again.
/// @throws InputError where neither XDG_CACHE_HOME nor HOME is set
std::filesystem::path user_cache_folder();

}  // namespace saescope
