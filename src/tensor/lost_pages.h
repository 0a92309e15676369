#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace saescope {

/// Ends the process with exit code 1 and a message that names the file when a page of a mapped file cannot be
/// read (SIGBUS): the file became shorter, or its disk failed. Without this the system kills the process
/// without a word. Any other SIGBUS keeps its default action.
void report_lost_pages();

/// The mappings that such a page may belong to. Called by MappedFile.
void remember_mapping(std::span<const std::byte> bytes, std::string path);
void forget_mapping(std::span<const std::byte> bytes);

}  // namespace saescope
