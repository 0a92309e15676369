#pragma once

#include <filesystem>

#include "analysis/prompts.h"

namespace saescope {

/// Reads prompts from a `.jsonl` file, or from a folder's own `*.jsonl` files in byte order of
/// their names (spec section 3).
/// @throws InputError with file, line number and reason on the first bad line, and where there is
/// no
///         prompt at all.
Prompts read_prompts(const std::filesystem::path& path);

}  // namespace saescope
