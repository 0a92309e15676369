// Every class of dictionary_learning, and every other format, against the encoders of their packages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "golden_files.h"
#include "ops/reference/reference_backend.h"
#include "sae/feature_encoder.h"
#include "sae/formats/dictionary_learning.h"
#include "test_device.h"

namespace saescope {
namespace {

using testing_support::goldens;
using testing_support::GoldenTensors;
using testing_support::read_json;

struct Variant {
  std::string name;
  std::filesystem::path path;    ///< of the SAE
  std::filesystem::path golden;  ///< its input and what the package makes of it
  std::vector<std::size_t> tie_rows = {};
  SaeReading reading = SaeReading::kAuthors;
  int64_t layer = 1;  ///< that its files name
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  const auto index = read_json(goldens() / "sae/index.json");
  for (const auto& v : index["variants"]) {
    const auto kind = v["class"].get<std::string>();
    const std::filesystem::path folder = goldens() / "sae" / kind / v["variant"].get<std::string>();
    Variant variant{kind + "_" + v["variant"].get<std::string>(), folder, folder / "golden.safetensors"};
    const auto ties = v.find("tie_rows");
    if (ties != v.end() && ties->is_object()) {
      for (const auto& [name, rows] : ties->items()) {
        for (const auto& row : rows.is_array() ? rows : nlohmann::json::array({rows}))
          variant.tie_rows.push_back(row);
      }
    } else if (ties != v.end() && ties->is_array()) {
      variant.tie_rows = ties->get<std::vector<std::size_t>>();
    }
    all.push_back(variant);
  }
  return all;
}

/// Those of the formats besides dictionary_learning.
std::vector<Variant> format_variants() {
  std::vector<Variant> all;
  const std::filesystem::path root = goldens() / "sae_formats";
  const auto index = read_json(root / "index.json");
  for (const auto& v : index["variants"]) {
    const auto name = v["name"].get<std::string>();
    all.push_back({name, root / v["path"].get<std::string>(), root / (name + ".safetensors")});
    if (v["saelens_reading"].get<bool>()) all.back().reading = SaeReading::kSaeLens;
    all.back().layer = v["layer"].get<int64_t>();
  }
  return all;
}

class SaeTest : public ::testing::TestWithParam<Variant> {
 protected:
  const std::filesystem::path& path = GetParam().path;
  OpenedSae sae = find_sae_format(path)->open({path, "", GetParam().reading});
  GoldenTensors golden{GetParam().golden};
  SilentProgress progress;
  CancelToken cancel;
  Context context{2, &progress, &cancel};
  std::unique_ptr<Backend> device = testing_support::make_test_backend();
  Backend& backend = *device;

  /// What the features of a range become; zeros elsewhere.
  Matrix<float> encode(Backend& on, IndexRange features) {
    const auto input = golden.rows("input");
    Matrix<float> result(input.rows, sae.encoder.dict_size);
    std::fill_n(result.row(0), result.rows() * result.cols(), 0.0f);
    on.encode(input, on.bind_encoder(sae.encoder, features),
              [&](std::size_t first, const FeatureBlock& block) {
                for_each_hit(block, [&](std::size_t row, std::size_t column, float activation) {
                  EXPECT_TRUE(features.contains(first + column)) << first << " + " << column;
                  result.row(row)[first + column] = activation;
                });
              });
    return result;
  }

  Matrix<float> encode_all(Backend& on) { return encode(on, {}); }
};

constexpr auto kNameOf = [](const auto& test) { return test.param.name; };
INSTANTIATE_TEST_SUITE_P(Goldens, SaeTest, ::testing::ValuesIn(variants()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Formats, SaeTest, ::testing::ValuesIn(format_variants()), kNameOf);

TEST_P(SaeTest, EncodingsAreWithin1e5OfThePackageAlsoAtThresholds) {
  const auto expected = golden.rows("encoded");
  ReferenceBackend reference;
  for (Backend* on : std::initializer_list<Backend*>{&backend, &reference}) {
    const Matrix<float> actual = encode_all(*on);
    for (std::size_t r = 0; r < expected.rows; ++r) {
      // Which of several equal features a top-k keeps is left to torch; their values are not.
      std::vector<float> a(actual.row(r), actual.row(r) + expected.cols);
      std::vector<float> e(expected.row(r), expected.row(r) + expected.cols);
      const float largest = *std::max_element(e.begin(), e.end());
      const auto& ties = GetParam().tie_rows;
      if (std::find(ties.begin(), ties.end(), r) != ties.end()) {
        std::sort(a.begin(), a.end());
        std::sort(e.begin(), e.end());
      }
      for (std::size_t c = 0; c < expected.cols; ++c) {
        EXPECT_EQ(a[c] > 0, e[c] > 0)
            << on->description() << ", row " << r << ", feature " << c << ": " << a[c] << ", " << e[c];
        EXPECT_NEAR(a[c], e[c], 1e-5 * std::max(1.0f, largest)) << "row " << r << ", feature " << c;
      }
    }
  }
}

TEST_P(SaeTest, ChosenFeaturesHaveTheBitsOfTheFullEncoding) {
  const Matrix<float> all = encode_all(backend);
  const std::vector<int64_t> features = {47, 3, 0, 3, 20};
  const Matrix<float> some =
      FeatureEncoder(sae.encoder, features, backend, context).encode(golden.rows("input"));
  for (std::size_t r = 0; r < all.rows(); ++r) {
    for (std::size_t i = 0; i < features.size(); ++i) {
      EXPECT_EQ(some.row(r)[i], all.row(r)[features[i]]) << "row " << r << ", feature " << features[i];
    }
  }
}

TEST_P(SaeTest, RangesOfFeaturesJoinedAreTheWholeBitByBit) {
  const Matrix<float> whole = encode_all(backend);
  Matrix<float> joined(whole.rows(), whole.cols());
  for (const IndexRange range : {IndexRange{0, 5}, IndexRange{5, 6}, IndexRange{6, SIZE_MAX}}) {
    const Matrix<float> part = encode(backend, range);
    for (std::size_t r = 0; r < whole.rows(); ++r) {
      const std::size_t end = std::min(range.end, whole.cols());
      std::copy(part.row(r) + range.begin, part.row(r) + end, joined.row(r) + range.begin);
    }
  }
  for (std::size_t r = 0; r < whole.rows(); ++r) {
    EXPECT_TRUE(std::equal(whole.row(r), whole.row(r) + whole.cols(), joined.row(r))) << "row " << r;
  }
}

TEST_P(SaeTest, SaysWhichLayerItWasTrainedOn) {
  EXPECT_EQ(sae.origin.layer, GetParam().layer);
  EXPECT_FALSE(sae.origin.place.empty());
}

class DictionaryTest : public ::testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Goldens, DictionaryTest, ::testing::ValuesIn(variants()), kNameOf);

TEST_P(DictionaryTest, ConfigAndArchiveThatDisagreeAreAnErrorNamingBoth) {
  const std::filesystem::path& folder = GetParam().path;
  const MappedFile file(folder / "ae.pt");
  const TorchStateDict state = parse_torch_archive(file.bytes(), "ae.pt");
  auto config = read_json(folder / "config.json");
  config["trainer"]["dict_size"] = 47;
  try {
    bind_encoder(state, config, "the/ae.pt", "the/config.json");
    FAIL() << "accepted a dict_size of 47";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("the/ae.pt"), ::testing::HasSubstr("the/config.json")));
  }
  config = read_json(folder / "config.json");
  config["trainer"]["dict_class"] = "IdentityDict";
  EXPECT_THROW(bind_encoder(state, config, "ae.pt", "config.json"), InputError);
  config = read_json(folder / "config.json");
  if (config["trainer"].contains("k")) {
    config["trainer"]["k"] = config["trainer"]["k"].get<int>() + 1;
    if (state.tensors.contains("k") || state.scalars.contains("k")) {
      EXPECT_THROW(bind_encoder(state, config, "ae.pt", "config.json"), InputError);
    }
  }
}

}  // namespace
}  // namespace saescope
