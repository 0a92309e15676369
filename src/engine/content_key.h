#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/context.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// Names what a file holds, wherever it lies, so that copies on several machines are the same. A blob of the
/// hub's cache is named by its content already. Of another file the whole content is read once: what was
/// found is noted below `store`, together with the file's place, inode, size and times, and counts until one
/// of these changes.
/// @param file may be a copy of the one at `place`, which is read in its stead
/// @throws Interrupted
std::string content_key(const MappedFile& file, const std::filesystem::path& place,
                        const std::filesystem::path& store, const Context& context);

/// The same where nothing needs to be read for it.
std::optional<std::string> known_content_key(const std::filesystem::path& place,
                                             const std::filesystem::path& store);

/// A cheaper name of what a file holds, for the time of a job: all of it up to 64 MiB; of a larger one its
/// size, its first 64 KiB (where formats have their headers) and a thousand pages between there and its end.
/// A file that was trained or saved anew differs in them; one in which somebody changed a few numbers may
/// not.
std::string sampled_key(const MappedFile& file);

}  // namespace saescope
