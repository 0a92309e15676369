#include <stdexcept>

#include "formats/zip_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"
#include "hostile/torch_bytes.h"

namespace saescope::hostile {
namespace {

using testing::raw;
using testing::StoredZip;
using testing::ZipEntryOptions;

// Fields of a directory entry.
constexpr std::size_t kMethod = 10;
constexpr std::size_t kStoredSize = 20;
constexpr std::size_t kSize = 24;
constexpr std::size_t kHeaderOffset = 42;
constexpr std::size_t kName = 46;
// Fields of the end record, from the end of the file.
constexpr int64_t kDisk = -18;
constexpr int64_t kEntriesHere = -14;
constexpr int64_t kDirectoryBytes = -10;
constexpr int64_t kDirectoryOffset = -6;
// Fields of torch's zip64 records.
constexpr int64_t kEnd64 = -98;
constexpr int64_t kDisk64 = -82;
constexpr int64_t kEntries64 = -74;
constexpr int64_t kDirectoryBytes64 = -58;
constexpr int64_t kLocatorOffset = -34;

/// The directory's last mention of a name is its entry.
std::size_t entry_of(const std::string& bytes, const std::string& name) {
  const std::size_t at = bytes.rfind(name);
  if (at == std::string::npos) throw std::logic_error("no entry " + name);
  return at - kName;
}

Change in_directory(const std::string& name, std::size_t field, const std::string& value) {
  return [=](const std::filesystem::path& file) {
    bytes_at(static_cast<int64_t>(entry_of(slurp(file), name) + field), value)(file);
  };
}

template <typename T>
std::string twice(T value) {
  return raw(value) + raw(value);
}

/// A change of the archive made by hand, whose end record counts: torch writes zip64 records as well.
Change zip32(const Change& change) { return both(sae_with("k", pickle::integer(16)), change); }

/// An archive with one more entry.
Change with_entry(const std::string& name, const ZipEntryOptions& options = {}) {
  StoredZip zip;
  zip.add("ae/data.pkl", pickle::dict({}));
  zip.add(name, "x", options);
  return contents(zip.finish());
}

/// The second storage's header and bytes lie inside of the first one.
Change overlapping() {
  StoredZip inner;
  inner.add("ae/data/1", std::string(64, 'b'));
  const std::string record = inner.finish();
  StoredZip zip;
  zip.add("ae/data.pkl", pickle::dict({}));
  zip.add("ae/data/0", record);
  zip.add("ae/data/1", std::string(64, 'b'));
  const std::string bytes = zip.finish();
  return both(contents(bytes),
              in_directory("ae/data/1", kHeaderOffset, raw(static_cast<uint32_t>(bytes.find(record)))));
}

}  // namespace

std::vector<Case> zip_cases() {
  constexpr uint32_t kMax32 = ~uint32_t{0};
  const std::string weight = "ae/data/4";
  return {
      {"Empty", kSae, contents(""), "empty file"},
      {"NotAZip", kSae, contents("hello, world"), "not a torch archive"},
      {"TorchBefore1_6", kSae, contents("\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."),
       "torch before 1.6"},
      {"Cut", kSae, cut_by(1), "no end record"},
      {"CutInTheMiddle", kSae, resized(40'000), "no end record"},
      {"AGigabyteOfZeros", kSae, both(resized(100), resized(kGigabyte)), "no end record"},
      {"OnSeveralDisks", kSae, zip32(bytes_at(kDisk, raw(uint16_t{1}))), "several disks"},
      {"EntryCountTooLarge", kSae, zip32(bytes_at(kEntriesHere, twice(uint16_t{0xFFFF}))),
       "ends inside the zip directory"},
      {"EntryCountTooSmall", kSae, zip32(bytes_at(kEntriesHere, twice(uint16_t{2}))), "has no storage"},
      {"EntryCountZero", kSae, zip32(bytes_at(kEntriesHere, twice(uint16_t{0}))),
       "not written by torch.save"},
      {"DirectoryPastTheEnd", kSae, zip32(bytes_at(kDirectoryOffset, raw(kMax32 - 1))), "leaves it"},
      {"DirectoryLargerThanTheFile", kSae, zip32(bytes_at(kDirectoryBytes, raw(kMax32 - 1))), "leaves it"},
      {"DirectoryElsewhere", kSae, zip32(bytes_at(kDirectoryOffset, raw(uint32_t{64}))), "malformed"},
      {"Zip64CountHuge", kSae, bytes_at(kEntries64, twice(~uint64_t{0})), "has 18446744073709551615 entries"},
      {"Zip64CountTooLarge", kSae, bytes_at(kEntries64, twice(uint64_t{13})), "ends inside"},
      {"Zip64SizeOverflows", kSae, bytes_at(kDirectoryBytes64, twice(~uint64_t{0})), "leaves it"},
      {"Zip64OnSeveralDisks", kSae, bytes_at(kDisk64, raw(uint32_t{1})), "several disks"},
      {"Zip64RecordMissing", kSae, bytes_at(kEnd64, "XXXX"), "zip64 end record is missing"},
      {"Zip64RecordPastTheEnd", kSae, bytes_at(kLocatorOffset, raw(~uint64_t{0})), "leaves it"},
      {"EntryCompressed", kSae, in_directory(weight, kMethod, raw(uint16_t{8})), "is compressed"},
      {"EntryThatGrowsALot", kSae, in_directory(weight, kSize, raw(kMax32 - 1)), "is compressed"},
      {"EntryEncrypted", kSae, with_entry("ae/data/1", {.flags = 1}), "encrypted"},
      {"EntryPastTheEnd", kSae, in_directory(weight, kHeaderOffset, raw(kMax32 - 1)), "leaves it"},
      {"EntryLargerThanTheFile", kSae, in_directory(weight, kStoredSize, raw(kMax32 - 1) + raw(kMax32 - 1)),
       "leaves"},
      {"EntryAtAnotherHeader", kSae, in_directory(weight, kHeaderOffset, raw(uint32_t{0})), "disagrees"},
      {"EntryWithTwoNames", kSae, with_entry("ae/data/1", {.local_name = "ae/data/2"}), "disagrees"},
      {"EntryTwice", kSae, with_entry("ae/data.pkl"), "occurs twice"},
      {"EntriesOverlap", kSae, overlapping(), "overlap"},
      {"NameAboveTheArchive", kSae, with_entry("../../etc/passwd"), "leads out"},
      {"NameAbsolute", kSae, with_entry("/etc/passwd"), "leads out"},
      {"NameHoldsANul", kSae, with_entry(std::string("ae/data/1\0x", 11)), "leads out"},
      {"NameEmpty", kSae, with_entry(""), "leads out"},
      {"BigEndian", kSae,
       [] {
         StoredZip zip;
         zip.add("ae/data.pkl", pickle::dict({}));
         zip.add("ae/byteorder", "big");
         return contents(zip.finish());
       }(),
       "byte order"},
      {"TwoPickles", kSae, with_entry("other/data.pkl"), "not written by torch.save"},
      {"Removed", kSae, removed(), "no SAE", "sae/layer_1"},
      {"AFolder", kSae, as_folder(), "regular file"},
  };
}

}  // namespace saescope::hostile
