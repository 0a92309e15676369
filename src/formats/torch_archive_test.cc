#include "formats/torch_archive.h"

#include <gmock/gmock.h>

#include "formats/format_testing.h"
#include "formats/zip_testing.h"
#include "tensor/float16.h"

namespace saescope {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StoredZip;

NamedTensors parse_tensors(std::span<const std::byte> bytes) {
  return parse_torch_archive(bytes, "x").tensors;
}

// Pieces of protocol 2 pickles.

std::string unicode(std::string_view text) {
  return "X" + testing::raw(static_cast<uint32_t>(text.size())) + std::string(text);
}

std::string integer(int32_t value) { return "J" + testing::raw(value); }

std::string tuple(std::string_view items) { return "(" + std::string(items) + "t"; }

/// A tensor over the entry data/0 whose storage says it has `elements` numbers.
std::string tensor(const std::string& storage, int32_t elements, const std::string& offset,
                   const std::string& shape, const std::string& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n" +
         tuple(tuple(unicode("storage") + "ctorch\n" + storage + "\n" + unicode("0") + unicode("cpu") +
                     integer(elements)) +
               "Q" + offset + tuple(shape) + tuple(strides) + "\x89" + "}") +
         "R";
}

std::string state_dict(const std::string& items) { return "\x80\x02}(" + items + "u."; }

/// An archive of this pickle and a storage of 16 bytes.
testing::Bytes archive(const std::string& pickle, const std::string& byte_order = "little") {
  StoredZip zip;
  zip.add("a/data.pkl", pickle);
  zip.add("a/byteorder", byte_order);
  zip.add("a/data/0", std::string(16, '\0'));
  return testing::to_bytes(zip.finish());
}

std::string error_of(const testing::Bytes& file) {
  return testing::input_error([&] { parse_torch_archive(file, "ae.pt"); });
}

std::string error_of_pickle(const std::string& pickle) { return error_of(archive(pickle)); }

std::string error_of_tensor(const std::string& offset, const std::string& shape, const std::string& strides) {
  return error_of_pickle(state_dict(unicode("t") + tensor("FloatStorage", 4, offset, shape, strides)));
}

/// Reads numbers of any plain floating dtype.
std::vector<float> floats(const TensorView& view) {
  if (view.dtype == DType::kF32) return testing::elements<float>(view);
  std::vector<float> values;
  if (view.dtype == DType::kF16) {
    for (const Float16 value : testing::elements<Float16>(view)) values.push_back(to_float(value));
  } else {
    for (const BFloat16 value : testing::elements<BFloat16>(view)) values.push_back(to_float(value));
  }
  return values;
}

class TorchDictionary : public ::testing::TestWithParam<std::pair<const char*, DType>> {};

TEST_P(TorchDictionary, ReadsStateDictsOfDictionaryLearning) {
  const auto& [name, dtype] = GetParam();
  const testing::Bytes file = testing::golden(name);
  const TorchStateDict dict = parse_torch_archive(file, name);
  ASSERT_EQ(dict.tensors.size(), 6u);
  const TensorView& encoder = dict.tensors.at("encoder.weight");
  EXPECT_EQ(encoder.dtype, dtype);
  EXPECT_EQ(encoder.shape, (Shape{5, 3}));
  EXPECT_TRUE(encoder.is_transposed());
  EXPECT_THAT(floats(encoder),
              ElementsAre(0, 1.25, 2.5, 0.25, 1.5, 2.75, 0.5, 1.75, 3, 0.75, 2, 3.25, 1, 2.25, 3.5));
  EXPECT_TRUE(dict.tensors.at("decoder.weight").is_contiguous());
  EXPECT_EQ(floats(dict.tensors.at("decoder.weight")), testing::quarters(15));
  EXPECT_EQ(floats(dict.tensors.at("encoder.bias")), testing::quarters(5));
  EXPECT_EQ(dict.tensors.at("threshold").shape, Shape{});
  EXPECT_EQ(dict.tensors.at("threshold").dtype, DType::kF32);
  EXPECT_THAT(floats(dict.tensors.at("threshold")), ElementsAre(0.75f));
  EXPECT_THAT(testing::elements<int32_t>(dict.tensors.at("k")), ElementsAre(4));
}

INSTANTIATE_TEST_SUITE_P(Files, TorchDictionary,
                         ::testing::Values(std::pair{"dictionary_f32.pt", DType::kF32},
                                           std::pair{"dictionary_f16.pt", DType::kF16},
                                           std::pair{"dictionary_bf16.pt", DType::kBF16},
                                           std::pair{"dictionary_protocol4.pt", DType::kF32},
                                           // of a compiled module, inside a training checkpoint
                                           std::pair{"checkpoint.pt", DType::kF32}),
                         [](const auto& instance) {
                           const std::string name = instance.param.first;
                           return name.substr(0, name.find('.'));
                         });

TEST(TorchArchive, ReadsModulesWithTiedWeightsAndMetadata) {
  const testing::Bytes file = testing::golden("module.pt");
  const TorchStateDict dict = parse_torch_archive(file, "module.pt");
  EXPECT_EQ(testing::elements<float>(dict.tensors.at("first.weight")), testing::quarters(6));
  EXPECT_EQ(dict.tensors.at("first.weight").data, dict.tensors.at("second.weight").data);
}

TEST(TorchArchive, ReadsParametersAsTensors) {
  const testing::Bytes file = testing::golden("parameters.pt");
  const TorchStateDict dict = parse_torch_archive(file, "parameters.pt");
  EXPECT_EQ(testing::elements<float>(dict.tensors.at("first.weight")), testing::quarters(6));
}

TEST(TorchArchive, ReadsSlicesAndNumbers) {
  const testing::Bytes file = testing::golden("mixed.pt");
  const TorchStateDict dict = parse_torch_archive(file, "mixed.pt");
  EXPECT_EQ(dict.tensors.at("slice").strides, (std::vector<uint64_t>{6, 1}));
  EXPECT_THAT(testing::elements<float>(dict.tensors.at("slice")), ElementsAre(2, 2.25, 2.5, 3.5, 3.75, 4));
  EXPECT_THAT(testing::elements<float>(dict.tensors.at("expanded")), ElementsAre(0, 0.25, 0.5, 0, 0.25, 0.5));
  EXPECT_EQ(dict.tensors.at("empty").shape, (Shape{0, 3}));
  EXPECT_THAT(testing::elements<int64_t>(dict.tensors.at("i64")), ElementsAre(int64_t{1} << 40, -1));
  EXPECT_THAT(testing::elements<uint8_t>(dict.tensors.at("bool")), ElementsAre(1, 0));
  EXPECT_EQ(std::get<int64_t>(dict.scalars.at("int")), 7);
  EXPECT_EQ(std::get<int64_t>(dict.scalars.at("large_int")), -(int64_t{1} << 40));
  EXPECT_EQ(std::get<double>(dict.scalars.at("float")), 0.125);
  EXPECT_TRUE(std::get<bool>(dict.scalars.at("flag")));
}

TEST(TorchArchive, IgnoresTheStridesOfAxesOfOneElement) {
  const testing::Bytes file = testing::golden("mixed.pt");
  const TorchStateDict dict = parse_torch_archive(file, "mixed.pt");
  EXPECT_EQ(dict.tensors.at("column").shape, (Shape{1, 5}));
  EXPECT_TRUE(dict.tensors.at("column").is_contiguous());
}

TEST(TorchArchive, RefusesEveryTruncation) {
  testing::expect_truncations_refused(testing::golden("dictionary_f32.pt"), parse_tensors);
}

TEST(TorchArchive, SurvivesEveryChangedByte) {
  testing::expect_changes_survived(testing::golden("dictionary_bf16.pt"), parse_tensors);
  testing::expect_changes_survived(testing::golden("dictionary_protocol4.pt"), parse_tensors);
  testing::expect_changes_survived(testing::golden("module.pt"), parse_tensors);
}

TEST(TorchArchive, NamesWhatThePickleAsksFor) {
  EXPECT_THAT(error_of_pickle("\x80\x02"
                              "cos\nsystem\n" +
                              unicode("true") + "\x85R."),
              AllOf(HasSubstr("pickle asks for os.system"), HasSubstr("ae.pt")));
  EXPECT_THAT(error_of_pickle("\x80\x04\x8c\x05posix\x8c\x06system\x93."),
              HasSubstr("pickle asks for posix.system"));
  EXPECT_THAT(error_of(testing::golden("whole_module.pt")),
              AllOf(HasSubstr("torch.nn.modules.linear.Linear"), HasSubstr("state_dict()")));
  EXPECT_THAT(error_of(testing::golden("double.pt")), HasSubstr("torch.DoubleStorage"));
}

TEST(TorchArchive, NamesOpcodesOutsideTheList) {
  EXPECT_THAT(error_of_pickle("\x80\x02(ios\nsystem\n."), HasSubstr("opcode 0x69 'i'"));
  EXPECT_THAT(error_of_pickle("\x80\x02\x82\x01."), HasSubstr("opcode 0x82"));
  EXPECT_THAT(error_of_pickle("\x80\x01}."), HasSubstr("protocol 2 to 5"));
}

TEST(TorchArchive, RefusesPicklesThatUnderflowTheStack) {
  for (const char* pickle : {".", "R.", "Q.", "t.", "u.", "s.", "b.", "\x85.", "\x87.", "q\1.", "h\1.", "}(.",
                             "(}\x85t\x86.", "}NNN}s.", "NNNs.", "}(Nu.", "}Nb.", "N)R."}) {
    EXPECT_THAT(error_of_pickle("\x80\x02" + std::string(pickle)), HasSubstr("malformed")) << pickle;
  }
}

TEST(TorchArchive, SurvivesADictInsideItself) {
  // d = {}; d['d'] = d
  EXPECT_THAT(error_of_pickle("\x80\x02}q\1" + unicode("d") + "h\1s."),
              HasSubstr("key 'd' of the state dict has a value that cannot be used"));
}

TEST(TorchArchive, RefusesValuesThatAreNeitherTensorsNorNumbers) {
  EXPECT_THAT(error_of_pickle("\x80\x02K\1."), HasSubstr("does not hold a state dict"));
  EXPECT_THAT(error_of_pickle(state_dict("K\1K\1")), HasSubstr("is no text"));
  EXPECT_THAT(error_of_pickle(state_dict(unicode("a") + unicode("b"))), HasSubstr("a text"));
  EXPECT_THAT(error_of_pickle(state_dict(unicode("a") + "K\1" + unicode("a") + "K\2")), HasSubstr("twice"));
}

TEST(TorchArchive, AcceptsTensorsThatEndWithTheirStorage) {
  const auto file =
      archive(state_dict(unicode("t") + tensor("FloatStorage", 4, integer(1), integer(3), integer(1))));
  EXPECT_EQ(parse_torch_archive(file, "x").tensors.at("t").shape, Shape{3});
}

TEST(TorchArchive, RefusesTensorsThatLeaveTheirStorage) {
  EXPECT_THAT(error_of_tensor(integer(2), integer(3), integer(1)),
              AllOf(HasSubstr("tensor 't'"), HasSubstr("leaves its storage")));
  EXPECT_THAT(error_of_tensor(integer(0), integer(2), integer(4)), HasSubstr("leaves its storage"));
  EXPECT_THAT(error_of_tensor(integer(-1), integer(1), integer(1)), HasSubstr("from 0 on"));
  EXPECT_THAT(error_of_tensor(integer(0), integer(2), integer(-1)), HasSubstr("from 0 on"));
  EXPECT_THAT(error_of_tensor(integer(0), integer(1), ""), HasSubstr("a stride for each axis"));
  const std::string large = "\x8a\x08" + testing::raw(int64_t{1} << 62);
  EXPECT_THAT(error_of_tensor(integer(0), large + large, integer(0) + integer(0)), HasSubstr("64 bits"));
  EXPECT_THAT(error_of_tensor(integer(0), integer(5) + integer(5), large + large),
              HasSubstr("leaves its storage"));
  std::string ones;
  for (int i = 0; i < 65; ++i) ones += integer(1);
  EXPECT_THAT(error_of_tensor(integer(0), ones, ones), HasSubstr("at most 64"));
}

TEST(TorchArchive, RefusesStoragesShorterThanTheySay) {
  EXPECT_THAT(error_of_pickle(
                  state_dict(unicode("t") + tensor("LongStorage", 3, integer(0), integer(1), integer(1)))),
              AllOf(HasSubstr("too short"), HasSubstr("a/data/0")));
}

TEST(TorchArchive, RefusesOtherFiles) {
  EXPECT_THAT(error_of(testing::golden("legacy.pt")), HasSubstr("before 1.6"));
  EXPECT_THAT(error_of(testing::golden("small.gguf")), HasSubstr("not a torch archive"));
  EXPECT_THAT(error_of({}), HasSubstr("not a torch archive"));
  EXPECT_THAT(error_of(testing::to_bytes(StoredZip().finish())), HasSubstr("NAME/data.pkl"));
  EXPECT_THAT(error_of(archive(state_dict(""), "big")), HasSubstr("byte order"));
}

}  // namespace
}  // namespace saescope
