#include "formats/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "formats/byte_reader.h"

// Record layouts: APPNOTE.TXT, the specification of the .ZIP file format, sections 4.3.7 to 4.3.16.

namespace saescope {
namespace {

constexpr uint32_t kLocalSignature = 0x04034B50;
constexpr uint32_t kDirectorySignature = 0x02014B50;
constexpr uint32_t kEndSignature = 0x06054B50;
constexpr uint32_t kEnd64Signature = 0x06064B50;
constexpr uint32_t kLocator64Signature = 0x07064B50;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kMaxCommentBytes = 0xFFFF;
constexpr uint16_t kExtraZip64 = 0x0001;
constexpr uint32_t kIn64BitField = 0xFFFFFFFF;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;
constexpr uint16_t kEncryptionFlags = 0x2041;  // traditional, strong, masked headers
constexpr std::string_view kDirectory = "zip directory";
/// Far above the number of tensors of any state dict; bounds the memory that a directory takes.
constexpr uint64_t kMaxZipEntries = uint64_t{1} << 16;

/// Weights hardly shrink. What shrinks far more, and is large, is made to fill the memory.
constexpr uint64_t kLargeEntry = uint64_t{1} << 24;
constexpr uint64_t kMostDeflated = 64;

enum class ZipMethods { kOnlyStored, kAlsoDeflated };

/// Where the directory lies and how many entries it has.
struct DirectoryPlace {
  uint64_t entries;
  uint64_t bytes;
  uint64_t offset;
};

/// One entry of the directory.
struct DirectoryEntry {
  std::string name;
  uint16_t flags;
  uint16_t method;
  uint64_t stored_bytes;
  uint64_t bytes;
  uint64_t header_offset;
  uint32_t checksum;
};

class ZipParser {
 public:
  ZipParser(std::span<const std::byte> bytes, const std::string& where, ZipMethods methods)
      : bytes_(bytes), where_(where), methods_(methods) {}

  std::map<std::string, ZipEntry, std::less<>> parse() const {
    const DirectoryPlace place = find_directory();
    ByteReader reader = reader_at(place.offset, place.bytes);
    if (place.entries > kMaxZipEntries) {
      fail_archive(
          fmt::format("the zip archive has {} entries, more than {}", place.entries, kMaxZipEntries));
    }
    std::map<std::string, ZipEntry, std::less<>> entries;
    std::map<uint64_t, uint64_t> extents;  // first byte → the one behind the last, header included
    for (uint64_t i = 0; i < place.entries; ++i) {
      const DirectoryEntry entry = parse_entry(reader);
      const auto stored = contents_of(entry, place.offset);
      const ZipEntry found = {stored, entry.method == kDeflated, entry.bytes, entry.checksum};
      if (!entries.emplace(entry.name, found).second) fail(entry.name, "occurs twice in the archive");
      const auto end = static_cast<uint64_t>(stored.data() - bytes_.data()) + stored.size();
      add_extent(extents, entry, end);
    }
    return entries;
  }

 private:
  [[noreturn]] void fail(std::string_view entry, std::string_view what, std::string expected = {},
                         std::string found = {}) const {
    throw InputError({.what = fmt::format("zip entry '{}' {}", entry, what),
                      .where = where_,
                      .expected = std::move(expected),
                      .found = std::move(found)});
  }

  [[noreturn]] void fail_archive(std::string what) const {
    throw InputError({.what = std::move(what),
                      .where = where_,
                      .expected = "a complete zip archive on one disk",
                      .found = {},
                      .hint = "the file is damaged or was not downloaded completely; get it again"});
  }

  /// Archives whose entries share bytes are made to mislead: readers disagree about them.
  void add_extent(std::map<uint64_t, uint64_t>& extents, const DirectoryEntry& entry, uint64_t end) const {
    const auto [extent, added] = extents.emplace(entry.header_offset, end);
    const bool meets_next = std::next(extent) != extents.end() && std::next(extent)->first < end;
    const bool meets_previous = extent != extents.begin() && std::prev(extent)->second > entry.header_offset;
    if (!added || meets_next || meets_previous) fail(entry.name, "overlaps another one");
  }

  ByteReader reader_at(uint64_t offset, uint64_t length) const {
    if (!range_fits(offset, length, bytes_.size())) fail_archive("a record of the zip archive leaves it");
    return {bytes_.subspan(offset, length), where_};
  }

  ByteReader reader_from(uint64_t offset) const {
    return reader_at(offset, bytes_.size() - std::min<uint64_t>(offset, bytes_.size()));
  }

  /// The end record is the last thing in the file but for a comment of unknown length.
  uint64_t find_end_record() const {
    for (uint64_t comment = 0; comment <= kMaxCommentBytes; ++comment) {
      if (bytes_.size() < kEndBytes + comment) break;
      const uint64_t offset = bytes_.size() - kEndBytes - comment;
      uint32_t signature = 0;
      std::memcpy(&signature, bytes_.data() + offset, sizeof(signature));
      uint16_t length = 0;
      std::memcpy(&length, bytes_.data() + bytes_.size() - comment - sizeof(length), sizeof(length));
      if (signature == kEndSignature && length == comment) return offset;
    }
    fail_archive("the zip archive has no end record");
  }

  DirectoryPlace find_directory() const {
    const uint64_t end = find_end_record();
    if (const auto place = find_directory64(end)) return *place;
    ByteReader reader = reader_at(end, kEndBytes);
    reader.take(4, kDirectory);
    const auto disk = reader.number<uint16_t>(kDirectory);
    const auto directory_disk = reader.number<uint16_t>(kDirectory);
    const auto entries_here = reader.number<uint16_t>(kDirectory);
    DirectoryPlace place{};
    place.entries = reader.number<uint16_t>(kDirectory);
    place.bytes = reader.number<uint32_t>(kDirectory);
    place.offset = reader.number<uint32_t>(kDirectory);
    if (disk != 0 || directory_disk != 0 || entries_here != place.entries) {
      fail_archive("the zip archive is split over several disks");
    }
    return place;
  }

  /// The place of the directory as the zip64 record says, which has precedence where there is one.
  std::optional<DirectoryPlace> find_directory64(uint64_t end) const {
    if (end < kLocator64Bytes) return std::nullopt;
    ByteReader locator = reader_at(end - kLocator64Bytes, kLocator64Bytes);
    if (locator.number<uint32_t>(kDirectory) != kLocator64Signature) return std::nullopt;
    locator.take(4, kDirectory);
    ByteReader record = reader_from(locator.number<uint64_t>(kDirectory));
    if (record.number<uint32_t>(kDirectory) != kEnd64Signature) {
      fail_archive("the zip64 end record is missing");
    }
    record.take(12, kDirectory);  // size of the record, versions
    const auto disk = record.number<uint32_t>(kDirectory);
    const auto directory_disk = record.number<uint32_t>(kDirectory);
    const auto entries_here = record.number<uint64_t>(kDirectory);
    DirectoryPlace place{};
    place.entries = record.number<uint64_t>(kDirectory);
    place.bytes = record.number<uint64_t>(kDirectory);
    place.offset = record.number<uint64_t>(kDirectory);
    if (disk != 0 || directory_disk != 0 || entries_here != place.entries) {
      fail_archive("the zip archive is split over several disks");
    }
    return place;
  }

  DirectoryEntry parse_entry(ByteReader& reader) const {
    if (reader.number<uint32_t>(kDirectory) != kDirectorySignature) {
      fail_archive("the zip directory is malformed");
    }
    DirectoryEntry entry{};
    reader.take(4, kDirectory);  // versions
    entry.flags = reader.number<uint16_t>(kDirectory);
    entry.method = reader.number<uint16_t>(kDirectory);
    reader.take(4, kDirectory);  // time, date
    entry.checksum = reader.number<uint32_t>(kDirectory);
    entry.stored_bytes = reader.number<uint32_t>(kDirectory);
    entry.bytes = reader.number<uint32_t>(kDirectory);
    const auto name_length = reader.number<uint16_t>(kDirectory);
    const auto extra_length = reader.number<uint16_t>(kDirectory);
    const auto comment_length = reader.number<uint16_t>(kDirectory);
    reader.take(8, kDirectory);  // disk, attributes
    entry.header_offset = reader.number<uint32_t>(kDirectory);
    entry.name = reader.text(name_length, kDirectory);
    read_zip64_sizes(entry, reader.take(extra_length, kDirectory));
    reader.take(comment_length, kDirectory);
    check_entry(entry);
    return entry;
  }

  /// Sizes and offset that 32 bits do not hold stand in an extra field, in this order.
  void read_zip64_sizes(DirectoryEntry& entry, std::span<const std::byte> extra) const {
    ByteReader fields(extra, where_);
    while (fields.remaining() >= 4) {
      const auto id = fields.number<uint16_t>(kDirectory);
      const auto length = fields.number<uint16_t>(kDirectory);
      ByteReader field(fields.take(length, kDirectory), where_);
      if (id != kExtraZip64) continue;
      for (uint64_t* size : {&entry.bytes, &entry.stored_bytes, &entry.header_offset}) {
        if (*size == kIn64BitField) *size = field.number<uint64_t>(kDirectory);
      }
    }
  }

  void check_entry(const DirectoryEntry& entry) const {
    if ((entry.flags & kEncryptionFlags) != 0) fail(entry.name, "is encrypted", "a plain entry");
    const bool deflated = methods_ == ZipMethods::kAlsoDeflated && entry.method == kDeflated;
    if (!deflated && (entry.method != kStored || entry.stored_bytes != entry.bytes)) {
      fail(entry.name, "is compressed",
           methods_ == ZipMethods::kOnlyStored ? "a stored entry" : "a stored or a deflated entry",
           fmt::format("method {}", entry.method));
    }
    if (deflated && entry.bytes > kLargeEntry && entry.bytes / kMostDeflated > entry.stored_bytes) {
      fail(entry.name, "would unpack to more than weights can be packed",
           fmt::format("at most {} times {} bytes", kMostDeflated, entry.stored_bytes),
           fmt::format("{} bytes", entry.bytes));
    }
    std::string_view rest = entry.name;
    bool bad = rest.empty() || rest.front() == '/' || rest.find('\\') != std::string_view::npos ||
               rest.find('\0') != std::string_view::npos;
    while (!rest.empty()) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      bad = bad || rest.substr(0, slash) == "..";
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    if (bad) {
      throw InputError({.what = "the name of a zip entry leads out of the archive",
                        .where = where_,
                        .expected = "a relative path",
                        .found = entry.name});
    }
  }

  /// The entry's bytes lie behind its local header, whose lengths may differ from the directory's.
  std::span<const std::byte> contents_of(const DirectoryEntry& entry, uint64_t directory) const {
    constexpr std::string_view kHeader = "header of a zip entry";
    ByteReader reader = reader_from(entry.header_offset);
    const auto signature = reader.number<uint32_t>(kHeader);
    reader.take(2, kHeader);  // version
    const auto flags = reader.number<uint16_t>(kHeader);
    const auto method = reader.number<uint16_t>(kHeader);
    reader.take(16, kHeader);  // time, date, checksum, sizes (0 where the writer streamed)
    const auto name_length = reader.number<uint16_t>(kHeader);
    const auto extra_length = reader.number<uint16_t>(kHeader);
    if (signature != kLocalSignature || flags != entry.flags || method != entry.method ||
        reader.text(name_length, kHeader) != entry.name) {
      fail(entry.name, "has a header that disagrees with the archive's directory");
    }
    reader.take(extra_length, kHeader);
    const uint64_t offset = entry.header_offset + reader.position();
    if (!range_fits(offset, entry.stored_bytes, directory)) {
      fail(entry.name, "leaves the archive", fmt::format("{} bytes from byte {}", entry.stored_bytes, offset),
           fmt::format("{} bytes before the directory", directory));
    }
    return bytes_.subspan(offset, entry.stored_bytes);
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  ZipMethods methods_;
};

}  // namespace

std::map<std::string, ZipEntry, std::less<>> parse_zip_entries(std::span<const std::byte> bytes,
                                                               const std::string& where) {
  return ZipParser(bytes, where, ZipMethods::kAlsoDeflated).parse();
}

ZipEntries parse_zip_archive(std::span<const std::byte> bytes, const std::string& where) {
  ZipEntries contents;
  for (const auto& [name, entry] : ZipParser(bytes, where, ZipMethods::kOnlyStored).parse()) {
    contents.emplace(name, entry.stored);
  }
  return contents;
}

void inflate_zip_entry(const ZipEntry& entry, std::span<std::byte> contents, const std::string& where) {
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  // zlib's input is not const, but it only reads it.
  auto* in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.stored.data()));
  auto* out = reinterpret_cast<Bytef*>(contents.data());
  uLong checksum = crc32(0, nullptr, 0);
  int state = Z_OK;
  std::size_t read = 0;
  std::size_t written = 0;
  while (state == Z_OK) {
    const std::size_t input = std::min(kPiece, entry.stored.size() - read);
    const std::size_t room = std::min(kPiece, contents.size() - written);
    stream.next_in = in + read;
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = out + written;
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    checksum = crc32(checksum, out + written, static_cast<uInt>(room - stream.avail_out));
    read += input - stream.avail_in;
    written += room - stream.avail_out;
  }
  inflateEnd(&stream);
  if (state == Z_STREAM_END && written == contents.size() && checksum == entry.checksum) return;
  throw InputError(
      {.what = "a compressed entry of the zip archive is damaged",
       .where = where,
       .expected = fmt::format("{} bytes with the checksum {:08x}", contents.size(), entry.checksum),
       .found = fmt::format("{} bytes with the checksum {:08x}", written, checksum),
       .hint = "the file is damaged or was not downloaded completely; get it again"});
}

}  // namespace saescope
