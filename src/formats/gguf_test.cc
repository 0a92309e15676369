#include "formats/gguf.h"

#include <gmock/gmock.h>

#include "formats/format_testing.h"
#include "tensor/float16.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::raw;

constexpr uint32_t kUint32 = 4;
constexpr uint32_t kUint64 = 10;
constexpr uint32_t kString = 8;
constexpr uint32_t kArray = 9;

NamedTensors parse_tensors(std::span<const std::byte> bytes) { return parse_gguf(bytes, "x").tensors; }

std::string text(std::string_view value) { return raw(uint64_t{value.size()}) + std::string(value); }

std::string header(uint32_t version, uint64_t tensors, uint64_t values) {
  return "GGUF" + raw(version) + raw(tensors) + raw(values);
}

/// One tensor of the list; `extents` in the file's order, innermost first.
std::string tensor(std::string_view name, const std::vector<uint64_t>& extents, uint32_t type,
                   uint64_t offset) {
  std::string info = text(name) + raw(static_cast<uint32_t>(extents.size()));
  for (const uint64_t extent : extents) info += raw(extent);
  return info + raw(type) + raw(offset);
}

/// Header and list, padded to 32 bytes, then `data_bytes` of data.
std::string file_of(const std::vector<std::string>& tensors, std::size_t data_bytes) {
  std::string file = header(3, tensors.size(), 0);
  for (const std::string& info : tensors) file += info;
  file.append((32 - file.size() % 32) % 32, '\0');
  return file.append(data_bytes, '\0');
}

std::string error_of(std::string_view file) {
  const testing::Bytes bytes = testing::to_bytes(file);
  return testing::input_error([&] { parse_gguf(bytes, "model.gguf"); });
}

TEST(Gguf, ReadsMetadataOfEveryKind) {
  const testing::Bytes bytes = testing::golden("small.gguf");
  const GgufFile file = parse_gguf(bytes, "small.gguf");
  EXPECT_EQ(file.version, 3u);
  EXPECT_EQ(file.require<std::string>("general.architecture"), "llama");
  EXPECT_EQ(file.require<int64_t>("u8"), 200);
  EXPECT_EQ(file.require<int64_t>("i8"), -100);
  EXPECT_EQ(file.require<int64_t>("u16"), 60000);
  EXPECT_EQ(file.require<int64_t>("i16"), -30000);
  EXPECT_EQ(file.require<int64_t>("u32"), 4'000'000'000);
  EXPECT_EQ(file.require<int64_t>("i32"), -2'000'000'000);
  EXPECT_EQ(file.require<int64_t>("u64"), int64_t{1} << 40);
  EXPECT_EQ(file.require<int64_t>("i64"), -(int64_t{1} << 40));
  EXPECT_EQ(file.require<double>("f32"), 0.5);
  EXPECT_EQ(file.require<double>("f64"), 1e-100);
  EXPECT_TRUE(file.require<bool>("yes"));
  EXPECT_FALSE(file.require<bool>("no"));
  EXPECT_EQ(file.require<std::string>("text"), "Grüße\n");
  EXPECT_THAT(file.require<std::vector<std::string>>("tokens"), ElementsAre("<s>", "", "Ġa", "日本"));
  EXPECT_THAT(file.require<std::vector<int64_t>>("types"), ElementsAre(1, -2, 3));
  EXPECT_THAT(file.require<std::vector<double>>("scores"), ElementsAre(0.5, -1.25));
  EXPECT_THAT(file.require<std::vector<bool>>("flags"), ElementsAre(true, false));
}

TEST(Gguf, ReadsTensorsInRowMajorShape) {
  const testing::Bytes bytes = testing::golden("small.gguf");
  const GgufFile file = parse_gguf(bytes, "small.gguf");
  EXPECT_EQ(file.require<int64_t>("general.alignment"), 64);
  ASSERT_EQ(file.tensors.size(), 5u);
  const TensorView& f32 = file.tensors.at("f32");
  EXPECT_EQ(f32.shape, (Shape{2, 3}));
  EXPECT_TRUE(f32.is_contiguous());
  EXPECT_EQ(testing::elements<float>(f32), testing::quarters(6));
  EXPECT_EQ(to_float(testing::elements<Float16>(file.tensors.at("f16"))[5]), 1.25f);
  EXPECT_EQ(file.tensors.at("f32_3d").shape, (Shape{2, 3, 4}));
  EXPECT_EQ(testing::elements<float>(file.tensors.at("f32_3d")), testing::quarters(24));
  EXPECT_EQ(file.tensors.at("Q8_0").dtype, DType::kQ8_0);
  EXPECT_EQ(file.tensors.at("Q4_K").shape, (Shape{2, 256}));
}

TEST(Gguf, ListsTensorsOfTypesItCannotRead) {
  EXPECT_THAT(parse_gguf(testing::golden("small.gguf"), "x").unsupported,
              ElementsAre(Pair("IQ2_XXS", "IQ2_XXS")));
  EXPECT_THAT(parse_gguf(testing::to_bytes(file_of({tensor("t", {32}, 99, 0)}, 4)), "x").unsupported,
              ElementsAre(Pair("t", "type 99")));
}

TEST(Gguf, ReadsVersion2AsVersion3) {
  testing::Bytes bytes = testing::golden("small.gguf");
  bytes[4] = std::byte{2};
  const GgufFile file = parse_gguf(bytes, "x");
  EXPECT_EQ(file.version, 2u);
  EXPECT_EQ(file.tensors.size(), 5u);
}

TEST(Gguf, RefusesEveryTruncationOfWhatItReads) {
  // The last tensor is the unreadable one: its size is not known, so only cuts before it are errors.
  testing::Bytes bytes = testing::golden("small.gguf");
  const GgufFile file = parse_gguf(bytes, "x");
  const TensorView& last = file.tensors.at("Q4_K");
  bytes.resize(static_cast<std::size_t>(last.data - bytes.data()) +
               *storage_bytes(last.dtype, element_count(last.shape)));
  testing::expect_truncations_refused(bytes, parse_tensors);
}

TEST(Gguf, SurvivesEveryChangedByte) {
  testing::expect_changes_survived(testing::golden("small.gguf"), parse_tensors);
}

TEST(Gguf, RefusesOtherFilesAndVersions) {
  EXPECT_THAT(error_of("PK\3\4........"), HasSubstr("not a GGUF file"));
  EXPECT_THAT(error_of(header(1, 0, 0)), HasSubstr("version 2 or 3"));
  EXPECT_THAT(error_of(header(4, 0, 0)), HasSubstr("version 2 or 3"));
  EXPECT_THAT(error_of(header(0x03000000, 0, 0)), HasSubstr("big endian"));
}

TEST(Gguf, AcceptsAFileOfMetadataAlone) {
  const auto file = header(3, 0, 1) + text("a") + raw(kUint32) + raw(uint32_t{5});
  EXPECT_EQ(parse_gguf(testing::to_bytes(file), "x").require<int64_t>("a"), 5);
}

TEST(Gguf, FindTellsAbsentFromWrongType) {
  const auto bytes = testing::to_bytes(header(3, 0, 1) + text("a") + raw(kUint32) + raw(uint32_t{5}));
  const GgufFile file = parse_gguf(bytes, "model.gguf");
  EXPECT_EQ(file.find<int64_t>("b"), nullptr);
  ASSERT_NE(file.find<int64_t>("a"), nullptr);
  EXPECT_THAT(testing::input_error([&] { file.require<int64_t>("b"); }),
              AllOf(HasSubstr("'b' is missing"), HasSubstr("model.gguf")));
  const std::string wrong = testing::input_error([&] { file.find<std::string>("a"); });
  EXPECT_THAT(wrong, AllOf(HasSubstr("'a'"), HasSubstr("a string"), HasSubstr("an integer")));
}

TEST(Gguf, RefusesMalformedMetadata) {
  const auto value = [](uint32_t type, const std::string& content) {
    return header(3, 0, 1) + text("key") + raw(type) + content;
  };
  EXPECT_THAT(error_of(value(13, "")), AllOf(HasSubstr("'key'"), HasSubstr("13")));
  EXPECT_THAT(error_of(value(7, "\2")), HasSubstr("0 or 1"));
  EXPECT_THAT(error_of(value(kUint64, raw(~uint64_t{0}))), HasSubstr("18446744073709551615"));
  EXPECT_THAT(error_of(value(kString, raw(~uint64_t{0}))), HasSubstr("the data ends inside"));
  EXPECT_THAT(error_of(value(kArray, raw(kArray) + raw(uint64_t{1}))), HasSubstr("array of arrays"));
  EXPECT_THAT(error_of(value(kArray, raw(kString) + raw(~uint64_t{0}))), HasSubstr("too long"));
  EXPECT_THAT(error_of(value(kArray, raw(uint32_t{77}) + raw(uint64_t{1}))), HasSubstr("77"));
  EXPECT_THAT(
      error_of(header(3, 0, 2) + text("a") + raw(kUint32) + raw(1) + text("a") + raw(kUint32) + raw(1)),
      HasSubstr("twice"));
  for (const uint32_t alignment : {0u, 48u}) {
    EXPECT_THAT(error_of(header(3, 0, 1) + text("general.alignment") + raw(kUint32) + raw(alignment)),
                HasSubstr("a power of two"));
  }
}

TEST(Gguf, RefusesCountsThatTheFileCannotHold) {
  EXPECT_THAT(error_of(header(3, 65'536, 0)), HasSubstr("the data ends inside"));
  EXPECT_THAT(error_of(header(3, 0, 65'536)), HasSubstr("the data ends inside"));
}

TEST(Gguf, RefusesCountsThatNoModelHas) {
  EXPECT_THAT(error_of(header(3, ~uint64_t{0}, 0)), HasSubstr("too many tensors"));
  EXPECT_THAT(error_of(header(3, 0, ~uint64_t{0})), HasSubstr("too many metadata values"));
}

TEST(Gguf, RefusesTensorsThatLeaveTheFile) {
  EXPECT_THAT(error_of(file_of({tensor("t", {8}, 0, 0)}, 31)), HasSubstr("'t' ([8] of F32)"));
  EXPECT_THAT(error_of(file_of({tensor("t", {8}, 0, 32)}, 32)), HasSubstr("leaves the file"));
  EXPECT_THAT(error_of(file_of({tensor("t", {8}, 0, 1024)}, 32)), HasSubstr("bad offset"));
  EXPECT_THAT(error_of(file_of({tensor("t", {8}, 0, 8)}, 64)), HasSubstr("a multiple of 32"));
  const uint64_t large = uint64_t{1} << 32;
  EXPECT_THAT(error_of(file_of({tensor("t", {large, large}, 0, 0)}, 32)), HasSubstr("leaves the file"));
}

TEST(Gguf, RefusesMalformedTensorEntries) {
  EXPECT_THAT(error_of(file_of({tensor("t", {1, 1, 1, 1, 1}, 0, 0)}, 32)), HasSubstr("too many dimensions"));
  EXPECT_THAT(error_of(file_of({tensor("t", {1}, 0, 0), tensor("t", {1}, 0, 0)}, 32)), HasSubstr("twice"));
  EXPECT_THAT(error_of(file_of({tensor("t", {16, 2}, 2, 0)}, 32)), HasSubstr("whole blocks of Q4_0"));
}

}  // namespace
}  // namespace saescope
