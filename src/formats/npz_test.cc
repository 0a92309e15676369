#include "formats/npz.h"

#include <gmock/gmock.h>

#include <array>

#include "formats/zip_testing.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;
using testing::raw;

constexpr std::array<std::string_view, 3> kNames = {"W_enc", "b_enc", "threshold"};

testing::Bytes params(const char* variant) {
  return testing::to_bytes(
      read_file(std::filesystem::path(SAESCOPE_SOURCE_DIR) / "tests/goldens/sae_formats" / variant /
                "layer_1/width_16k/average_l0_8/params.npz"));
}

/// An .npy file with this header and four floats.
testing::Bytes array_with(const std::string& header, uint8_t version = 1) {
  std::string file = "\x93NUMPY";
  file += raw(version) + raw(uint8_t{0});
  file +=
      version == 1 ? raw(static_cast<uint16_t>(header.size())) : raw(static_cast<uint32_t>(header.size()));
  file += header;
  for (const float value : {1.0f, 2.0f, 3.0f, 4.0f}) file += raw(value);
  return testing::to_bytes(file);
}

std::string error_of(const std::string& header) {
  const testing::Bytes bytes = array_with(header);
  return testing::input_error([&] { parse_npy(bytes, "x.npy"); });
}

TEST(Npy, ReadsBothOrdersAndEveryVersion) {
  for (const uint8_t version : {1, 2, 3}) {
    const testing::Bytes rows =
        array_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", version);
    EXPECT_EQ(parse_npy(rows, "x").strides, (std::vector<uint64_t>{2, 1}));
  }
  const testing::Bytes columns =
      array_with("{\"shape\": (2, 2), \"fortran_order\": True, \"descr\": \"<f4\"}");
  const TensorView view = parse_npy(columns, "x");
  EXPECT_EQ(view.strides, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(view.dtype, DType::kF32);
  const testing::Bytes vector = array_with("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}");
  EXPECT_EQ(parse_npy(vector, "x").shape, Shape{4});
}

TEST(Npy, HeadersThatAreNoneAreRefused) {
  constexpr const char* kUnreadable = "header of an array cannot be read";
  for (const char* header : {"", "{}", "[]", "{'descr': '<f4', 'fortran_order': False}",
                             "{'descr': '<f4', 'descr': '<f4', 'shape': (4,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} x",
                             "{'descr': [('a', '<f4')], 'shape': (4,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    EXPECT_THAT(error_of(header), HasSubstr(kUnreadable)) << header;
  }
}

TEST(Npy, OtherTypesAndSizesAreRefused) {
  EXPECT_THAT(error_of("{'descr': '>f4', 'fortran_order': False, 'shape': (4,)}"),
              HasSubstr("a type that is not read"));
  EXPECT_THAT(error_of("{'descr': '|O', 'fortran_order': False, 'shape': (4,)}"),
              HasSubstr("a type that is not read"));
  for (const char* shape : {"(5,)", "(3,)", "()", "(4294967296, 4294967296)"}) {
    EXPECT_THAT(error_of(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + "}"),
                HasSubstr("not that of its shape"))
        << shape;
  }
}

TEST(Npz, StoredAndDeflatedArraysAreReadAndTheDecoderIsLeftWhereItIs) {
  const testing::Bytes stored = params("gemma_scope_1");
  const testing::Bytes deflated = params("gemma_scope_1_deflated");
  const NpzArrays in_place = parse_npz(stored, "x.npz", kNames);
  const NpzArrays unpacked = parse_npz(deflated, "x.npz", kNames);
  EXPECT_EQ(in_place.unpacked, nullptr) << "views into the file";
  for (const NpzArrays& arrays : {in_place, unpacked}) {
    ASSERT_EQ(arrays.arrays.size(), kNames.size());
    EXPECT_EQ(arrays.arrays.at("W_enc").shape, (Shape{24, 48}));
    EXPECT_EQ(testing::elements<float>(arrays.arrays.at("threshold"))[0], 0.5f);
  }
}

TEST(Npz, TruncatedFilesAreRefusedAndChangedOnesReadWithinTheirBytes) {
  NpzArrays last;
  const auto parse = [&](std::span<const std::byte> bytes) {
    last = parse_npz(bytes, "x.npz", kNames);
    return last.arrays;
  };
  for (const char* variant : {"gemma_scope_1", "gemma_scope_1_deflated"}) {
    testing::expect_truncations_refused(params(variant), parse);
  }
  testing::expect_changes_survived(params("gemma_scope_1"), parse);
}

TEST(Npz, ADamagedStreamIsNoticedByItsChecksum) {
  testing::Bytes bytes = params("gemma_scope_1_deflated");
  for (const std::size_t at : {std::size_t{500}, std::size_t{1500}, std::size_t{3000}}) {
    testing::Bytes changed = bytes;
    changed[at] ^= std::byte{0x10};
    EXPECT_THAT(testing::input_error([&] { parse_npz(changed, "x.npz", kNames); }), HasSubstr("x.npz"));
  }
}

}  // namespace
}  // namespace saescope
