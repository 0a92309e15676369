#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "analysis/prompts.h"

namespace saescope {

/// Reads prompts from a `.jsonl` file, or from a folder's own `*.jsonl` files in byte order of
/// their names. A line holds at most kLongestJsonLine bytes.
/// @throws InputError with file, line number and reason on the first bad line, and where there is no prompt
///         at all.
Prompts read_prompts(const std::filesystem::path& path);

/// Adds the prompts of one file, which may be none. @param file names the file in messages
/// @throws InputError on the first bad line
void append_prompts(std::istream& in, const std::string& file, Prompts& prompts);

}  // namespace saescope
