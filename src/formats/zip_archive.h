#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace saescope {

/// The contents of an archive's entries by name; the spans point into the archive.
using ZipEntries = std::map<std::string, std::span<const std::byte>, std::less<>>;

/// Reads the directory of a zip or zip64 archive whose entries are stored, not compressed, as
/// `torch.save` writes them. Checksums are not verified: that would read the whole file.
/// @param where the file's name, for messages
/// @throws InputError on compressed or encrypted entries, several disks, names that occur twice or
///         lead out of a folder, entries that overlap, and on anything that leaves the file.
ZipEntries parse_zip_archive(std::span<const std::byte> bytes, const std::string& where);

}  // namespace saescope
