#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "analysis/prompts.h"
#include "base/progress.h"

namespace saescope {

/// How prompts are read.
struct PromptInput {
  std::string content_key =
      {};  ///< the key or column that holds the prompts; empty: `content`, or `messages`
  Progress* progress = nullptr;  ///< gets what was left out
};

/// Reads prompts from a file, a pipe, or a folder's own `*.jsonl` and `*.jsonl.gz` files in byte order of
/// their names, without those that this program wrote itself. A file is JSON lines, one JSON array or a CSV
/// table, which its beginning tells; gzip is unpacked. A line holds at most kLongestJsonLine bytes.
/// @throws InputError with file, line number and reason on the first bad line, and where there is no prompt
///         at all.
Prompts read_prompts(const std::filesystem::path& path, const PromptInput& how = {});

/// Whether a file in a folder of prompts is read as such.
bool is_prompts_file(const std::filesystem::path& path);

/// Adds the prompts of one file, which may be none. @param file names the file in messages
/// @throws InputError on the first bad line
void append_prompts(std::istream& in, const std::string& file, Prompts& prompts, const PromptInput& how = {});

}  // namespace saescope
