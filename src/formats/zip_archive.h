#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace saescope {

/// The contents of an archive's entries by name; the spans point into the archive.
using ZipEntries = std::map<std::string, std::span<const std::byte>, std::less<>>;

/// One entry as it lies in the archive.
struct ZipEntry {
  std::span<const std::byte> stored;
  bool deflated = false;  ///< else `stored` is the contents
  uint64_t bytes = 0;     ///< of the contents
  uint32_t checksum = 0;  ///< CRC-32 of the contents
};

/// Reads the directory of a zip or zip64 archive whose entries are stored or deflated.
/// @throws InputError as parse_zip_archive
std::map<std::string, ZipEntry, std::less<>> parse_zip_entries(std::span<const std::byte> bytes,
                                                               const std::string& where);

/// The contents of a deflated entry. @param contents of the entry's size
/// @throws InputError where the stream is damaged, of another length, or has another checksum
void inflate_zip_entry(const ZipEntry& entry, std::span<std::byte> contents, const std::string& where);

/// Reads the directory of a zip or zip64 archive whose entries are stored, not compressed, as
/// `torch.save` writes them. Checksums are not verified: that would read the whole file.
/// @param where the file's name, for messages
/// @throws InputError on compressed or encrypted entries, several disks, names that occur twice or
///         lead out of a folder, entries that overlap, and on anything that leaves the file.
ZipEntries parse_zip_archive(std::span<const std::byte> bytes, const std::string& where);

}  // namespace saescope
