#include "formats/safetensors.h"

#include <gmock/gmock.h>

#include "formats/format_testing.h"
#include "tensor/float16.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

NamedTensors parse_tensors(std::span<const std::byte> bytes) { return parse_safetensors(bytes, "x").tensors; }

/// A file of this header text and as many data bytes.
testing::Bytes file_of(std::string_view header, std::size_t data_bytes) {
  return testing::to_bytes(testing::raw(uint64_t{header.size()}) + std::string(header) +
                           std::string(data_bytes, '\1'));
}

std::string error_of(std::string_view header, std::size_t data_bytes) {
  const testing::Bytes file = file_of(header, data_bytes);
  return testing::input_error([&] { parse_safetensors(file, "model.safetensors"); });
}

TEST(Safetensors, ReadsWhatTheReferencePackageWrote) {
  const testing::Bytes file = testing::golden("small.safetensors");
  const SafetensorsFile parsed = parse_safetensors(file, "small.safetensors");
  EXPECT_THAT(parsed.metadata, UnorderedElementsAre(Pair("format", "pt"), Pair("größe", "x\ny")));
  ASSERT_EQ(parsed.tensors.size(), 8u) << "f64 is left out";
  const auto& tensors = parsed.tensors;
  EXPECT_EQ(tensors.at("f32").shape, (Shape{2, 3}));
  EXPECT_EQ(testing::elements<float>(tensors.at("f32")), testing::quarters(6));
  EXPECT_EQ(tensors.at("f16").dtype, DType::kF16);
  EXPECT_EQ(to_float(testing::elements<Float16>(tensors.at("f16"))[3]), 0.75f);
  EXPECT_EQ(tensors.at("bf16").dtype, DType::kBF16);
  EXPECT_EQ(to_float(testing::elements<BFloat16>(tensors.at("bf16"))[3]), 0.75f);
  EXPECT_THAT(testing::elements<int64_t>(tensors.at("i64")), ElementsAre(-1, int64_t{1} << 40));
  EXPECT_THAT(testing::elements<int32_t>(tensors.at("i32")), ElementsAre(7, -7));
  EXPECT_THAT(testing::elements<uint8_t>(tensors.at("bool")), ElementsAre(1, 0, 1));
  EXPECT_EQ(tensors.at("scalar").shape, Shape{});
  EXPECT_THAT(testing::elements<float>(tensors.at("scalar")), ElementsAre(1.5f));
  EXPECT_EQ(tensors.at("empty").shape, (Shape{0, 5}));
}

TEST(Safetensors, RefusesEveryTruncation) {
  testing::expect_truncations_refused(testing::golden("small.safetensors"), parse_tensors);
}

TEST(Safetensors, SurvivesEveryChangedByte) {
  testing::expect_changes_survived(testing::golden("small.safetensors"), parse_tensors);
}

TEST(Safetensors, RefusesHeaderLengths) {
  const testing::Bytes huge = testing::to_bytes(testing::raw(~uint64_t{0}) + "{}");
  EXPECT_THAT(testing::input_error([&] { parse_tensors(huge); }), HasSubstr("at most 16777216 bytes"));
  EXPECT_THAT(error_of("", 0), HasSubstr("empty header"));
}

TEST(Safetensors, RefusesHeadersThatAreNoJsonObject) {
  EXPECT_THAT(error_of("[]", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(" {}", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{} x", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(std::string("{}\0x", 4), 0), HasSubstr("a NUL byte"));
  EXPECT_THAT(error_of("{\"\xff\":1}", 0), HasSubstr("not valid JSON"));
}

TEST(Safetensors, AcceptsTheSpacesThatPadAHeader) {
  EXPECT_TRUE(parse_safetensors(file_of("{}      ", 0), "x").tensors.empty());
}

TEST(Safetensors, RefusesDeepNestingWithoutRecursion) {
  const std::string deep = R"({"a":)" + std::string(1'000'000, '[');
  EXPECT_THAT(error_of(deep, 0), HasSubstr("nested too deeply"));
}

TEST(Safetensors, RefusesDuplicateKeys) {
  const std::string entry = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  EXPECT_THAT(error_of(R"({"a":)" + entry + R"(,"a":)" + entry + "}", 4), HasSubstr("'a'"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("'dtype'"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"k":"1","k":"2"}})", 0), HasSubstr("'k'"));
}

TEST(Safetensors, AcceptsTheSameFieldsInSeveralTensors) {
  const auto file = file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"
                            "     ",
                            8);
  const SafetensorsFile parsed = parse_safetensors(file, "x");
  EXPECT_EQ(parsed.tensors.at("a").data - parsed.tensors.at("b").data, 4);
}

TEST(Safetensors, RefusesShapesThatDisagreeWithTheOffsets) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("shape and data_offsets disagree"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
              HasSubstr("64 bits"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0),
              HasSubstr("64 bits"))
      << "the sizes of dtypes that are left out are checked too";
}

TEST(Safetensors, RefusesHolesOverlapsAndRests) {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)") + first +
           R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}";
  };
  EXPECT_THAT(error_of(two("[0,4]", "[8,12]"), 12), HasSubstr("hole"));
  EXPECT_THAT(error_of(two("[4,8]", "[8,12]"), 12), HasSubstr("hole"));
  EXPECT_THAT(error_of(two("[0,4]", "[2,6]"), 6), HasSubstr("overlaps"));
  EXPECT_THAT(error_of(two("[0,4]", "[4,8]"), 9), HasSubstr("do not fill"));
  EXPECT_THAT(error_of(two("[0,4]", "[4,8]"), 7), HasSubstr("not downloaded completely"));
}

TEST(Safetensors, RefusesMalformedFields) {
  EXPECT_THAT(error_of(R"({"a":1})", 0), HasSubstr("'a'"));
  EXPECT_THAT(error_of(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), HasSubstr("dtype"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}})", 4), HasSubstr("Q9"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), HasSubstr("-1"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4), HasSubstr("1.5"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4),
              HasSubstr("[begin, end]"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4),
              HasSubstr("[begin, end]"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"k":1}})", 0), HasSubstr("'k'"));
  EXPECT_THAT(error_of(R"({"__metadata__":"k"})", 0), HasSubstr("__metadata__"));
}

TEST(Safetensors, RefusesDataThatTypedPointersCannotReach) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("not aligned"));
}

TEST(Safetensors, ErrorsNameTheFile) { EXPECT_THAT(error_of("[]", 0), HasSubstr("model.safetensors")); }

TEST(SafetensorsHeader, ReadsBack) {
  const std::vector<float> numbers = testing::quarters(6);
  const TensorView view{.dtype = DType::kF32,
                        .shape = {2, 3},
                        .strides = {3, 1},
                        .data = reinterpret_cast<const std::byte*>(numbers.data())};
  const TensorView none{.dtype = DType::kI64, .shape = {0}, .strides = {1}, .data = nullptr};
  const std::string header =
      safetensors_header({{"zwei \"x\"", view}, {"none", none}, {"again", view}}, {{"k", "v\n"}});
  EXPECT_EQ(header.size() % 8, 0u);
  testing::Bytes file = testing::to_bytes(header);
  for (int i = 0; i < 2; ++i) file.insert(file.end(), view.data, view.data + 24);
  const SafetensorsFile parsed = parse_safetensors(file, "x");
  EXPECT_THAT(parsed.metadata, ElementsAre(Pair("k", "v\n")));
  EXPECT_EQ(testing::elements<float>(parsed.tensors.at("again")), numbers);
  EXPECT_EQ(testing::elements<float>(parsed.tensors.at("zwei \"x\"")), numbers);
  EXPECT_EQ(parsed.tensors.at("none").dtype, DType::kI64);
}

}  // namespace
}  // namespace saescope
