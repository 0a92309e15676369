#include "formats/zip_archive.h"

#include <gmock/gmock.h>

#include "formats/zip_testing.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;
using testing::StoredZip;
using testing::ZipEntryOptions;

std::string error_of(const std::string& file) {
  const testing::Bytes bytes = testing::to_bytes(file);
  return testing::input_error([&] { parse_zip_archive(bytes, "x.pt"); });
}

std::string error_of_entry(std::string_view name, const ZipEntryOptions& options = {}) {
  StoredZip zip;
  zip.add(name, "contents", options);
  return error_of(zip.finish());
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ZipArchive, ReadsPlainAndCommentedArchives) {
  StoredZip zip;
  zip.add("a/x", "one");
  zip.add("a/y", "");
  for (const char* comment : {"", "a comment"}) {
    const testing::Bytes bytes = testing::to_bytes(zip.finish(comment));
    const ZipEntries entries = parse_zip_archive(bytes, "x");
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(text_of(entries.at("a/x")), "one");
    EXPECT_TRUE(entries.at("a/y").empty());
  }
}

TEST(ZipArchive, ReadsTheZip64RecordsOfTorch) {
  const testing::Bytes bytes = testing::golden("mixed.pt");
  const ZipEntries entries = parse_zip_archive(bytes, "x");
  EXPECT_EQ(text_of(entries.at("mixed/byteorder")), "little");
  EXPECT_EQ(entries.at("mixed/data/0").size(), 96u);
}

TEST(ZipArchive, RefusesCompressedAndEncryptedEntries) {
  EXPECT_THAT(error_of_entry("a", {.method = 8}), HasSubstr("'a' is compressed"));
  EXPECT_THAT(error_of_entry("a", {.flags = 1}), HasSubstr("'a' is encrypted"));
}

TEST(ZipArchive, RefusesNamesThatLeadOutOfTheArchive) {
  using std::string_literals::operator""s;
  for (const std::string& name : {"../a"s, "a/../b"s, "a/.."s, "/a"s, "a\\b"s, "a\0b"s}) {
    EXPECT_THAT(error_of_entry(name), HasSubstr("leads out of the archive")) << name;
  }
}

TEST(ZipArchive, AcceptsDotsInsideNames) {
  StoredZip zip;
  zip.add("a/..b/.c", "x");
  EXPECT_EQ(parse_zip_archive(testing::to_bytes(zip.finish()), "x").size(), 1u);
}

TEST(ZipArchive, RefusesDuplicateNames) {
  StoredZip zip;
  zip.add("a", "1");
  zip.add("a", "2");
  EXPECT_THAT(error_of(zip.finish()), HasSubstr("'a' occurs twice"));
}

TEST(ZipArchive, RefusesHeadersThatDisagreeWithTheDirectory) {
  EXPECT_THAT(error_of_entry("a", {.local_name = "b"}), HasSubstr("disagrees"));
}

TEST(ZipArchive, RefusesEntriesThatReachIntoTheDirectory) {
  StoredZip zip;
  zip.add("a", "contents");
  std::string file = zip.finish();
  const std::size_t directory = file.find("PK\1\2");
  for (const std::size_t field : {20, 24}) file[directory + field] = 100;  // both sizes
  EXPECT_THAT(error_of(file), HasSubstr("'a' leaves the archive"));
}

TEST(ZipArchive, RefusesEntriesThatOverlap) {
  StoredZip inner;
  inner.add("b", "x");
  StoredZip zip;
  zip.add("a", inner.finish());
  zip.add("b", "x");
  std::string file = zip.finish();
  const std::size_t offset_of_b = file.rfind("PK\1\2") + 42;
  file.replace(offset_of_b, 4, testing::raw(static_cast<uint32_t>(file.find("PK\3\4", 4))));
  EXPECT_THAT(error_of(file), HasSubstr("'b' overlaps another one"));
}

TEST(ZipArchive, RefusesSeveralDisks) {
  std::string file = StoredZip().finish();
  file[4] = 1;
  EXPECT_THAT(error_of(file), HasSubstr("several disks"));
}

TEST(ZipArchive, RefusesFilesWithoutAnEndRecord) {
  EXPECT_THAT(error_of("PK\3\4"), HasSubstr("no end record"));
  EXPECT_THAT(error_of(std::string(100'000, 'x')), HasSubstr("no end record"));
}

}  // namespace
}  // namespace saescope
