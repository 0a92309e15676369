#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace saescope {

/// What a path that names a file or a folder of files stands for, in the words of messages.
struct InputKind {
  std::string_view noun;                     ///< in the plural, such as "prompts"
  std::vector<std::string_view> extensions;  ///< of a folder's files, such as ".jsonl"
  std::string_view hint;                     ///< what to do where there are none
  bool streams = false;                      ///< whether the path itself may be a pipe
};

/// The files that a path names: itself, or a folder's own files with one of the extensions in byte order of
/// their names. As for a shell's pattern, hidden files (an editor's, or the "._x.jsonl" that macOS leaves on
/// foreign disks) do not belong to them.
/// @throws InputError where nothing is at the path, the folder holds no such file or cannot be listed, or one
///         of them is not a regular file.
std::vector<std::filesystem::path> list_input_files(const std::filesystem::path& path, const InputKind& kind);

/// What some programs of other systems write: "Unicode text", the redirection of PowerShell.
InputError utf16_error(const std::string& file);

/// @throws InputError with the system's reason
std::ifstream open_input_file(const std::filesystem::path& path);

}  // namespace saescope
