#include "engine/source_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/wave_read_ahead.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::size_t kFeatures = 100;
constexpr std::size_t kHidden = 8;

/// A model with one SAE of 100 features at each of four layers, all of whose features are wanted at two token
/// types.
class SourceShare : public ::testing::Test {
 protected:
  void SetUp() override {
    plan.universal = true;
    plan.tokens = {{{"a", "a"}}, {{"b", "b"}}};
    models.emplace_back();
    for (int layer = 0; layer < 4; ++layer) {
      OpenedSource& source = models[0].layers.emplace_back().emplace_back();
      source.plan = &plan;
      source.sae.encoder.dict_size = kFeatures;
      source.sae.encoder.activation_dim = kHidden;
    }
  }
  OpenedSource& source(std::size_t layer) { return models[0].layers[layer].front(); }
  /// [begin, end) of a task's features at each layer.
  std::vector<std::pair<std::size_t, std::size_t>> pieces(Share task) {
    std::vector<std::pair<std::size_t, std::size_t>> all;
    for (std::size_t layer = 0; layer < 4; ++layer) {
      const IndexRange range = share_of_source(source(layer), task, kFeatures);
      all.emplace_back(range.begin, range.end);
    }
    return all;
  }

  SourcePlan plan;
  std::deque<OpenedModel> models;
};

TEST_F(SourceShare, TasksOfWholeLayersReadNoOthers) {
  place_in_work(models);
  EXPECT_THAT(pieces({0, 2}), ElementsAre(Pair(0, 100), Pair(0, 100), Pair(0, 0), Pair(0, 0)));
  EXPECT_THAT(pieces({1, 2}), ElementsAre(Pair(100, 100), Pair(100, 100), Pair(0, 100), Pair(0, 100)));
}

TEST_F(SourceShare, ThePiecesOfAllTasksAreEverySaesFeaturesInOrder) {
  place_in_work(models);
  for (const std::size_t tasks : {1, 2, 3, 5, 7, 64, 1000}) {
    std::vector<std::size_t> next(4, 0);
    for (std::size_t task = 0; task < tasks; ++task) {
      const auto all = pieces({task, tasks});
      for (std::size_t layer = 0; layer < 4; ++layer) {
        ASSERT_EQ(all[layer].first, next[layer]) << task << " of " << tasks;
        next[layer] = all[layer].second;
      }
    }
    EXPECT_THAT(next, ::testing::Each(kFeatures)) << tasks;
  }
}

TEST_F(SourceShare, MostTasksReadOneLayer) {
  place_in_work(models);
  std::size_t layers = 0;
  for (std::size_t task = 0; task < 10; ++task) {
    for (const auto& [begin, end] : pieces({task, 10})) layers += begin < end ? 1 : 0;
  }
  EXPECT_LE(layers, 10u + 4u - 1u);
}

TEST_F(SourceShare, AnSaeWhoseActivationsDependOnEachOtherIsOneTasksAsAWhole) {
  for (std::size_t layer = 0; layer < 4; ++layer)
    source(layer).sae.encoder.function = ActivationFunction::kTopK;
  place_in_work(models);
  for (const std::size_t tasks : {1, 2, 3, 4, 7}) {
    std::vector<int> owners(4, 0);
    for (std::size_t task = 0; task < tasks; ++task) {
      const auto all = pieces({task, tasks});
      for (std::size_t layer = 0; layer < 4; ++layer) {
        const auto [begin, end] = all[layer];
        ASSERT_TRUE(begin == end || (begin == 0 && end == kFeatures));
        if (begin < end) ++owners[layer];
      }
    }
    EXPECT_THAT(owners, ::testing::Each(1)) << tasks;
  }
}

TEST_F(SourceShare, SaesOfFewChosenFeaturesAreLittleWork) {
  SourcePlan few;
  few.tokens = {{{"a", "a"}, {{7, 0}}}};
  source(3).plan = &few;
  place_in_work(models);
  EXPECT_LT(source(3).work.end - source(3).work.begin, source(0).work.end / 100);
}

/// The bytes that a task's range is read from, as offsets into a file that holds the matrix alone.
class EncoderBytes : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/saescope-encoder.XXXXXX";
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    path = name;
    ASSERT_EQ(::ftruncate(fd, kFeatures * kHidden * sizeof(float)), 0);
    ::close(fd);
    file = std::make_shared<const MappedFile>(path);
    source.sae.files = {file};
    source.sae.encoder.dict_size = kFeatures;
    source.sae.encoder.activation_dim = kHidden;
  }
  void TearDown() override { std::filesystem::remove(path); }
  std::vector<std::pair<std::size_t, std::size_t>> read(IndexRange features) {
    ReadAhead::Step step;
    add_encoder(step, source, features);
    std::vector<std::pair<std::size_t, std::size_t>> bytes;
    for (const auto& part : step) {
      bytes.emplace_back(part.data() - file->bytes().data(), part.size());
    }
    return bytes;
  }

  std::filesystem::path path;
  std::shared_ptr<const MappedFile> file;
  OpenedSource source = {};
};

TEST_F(EncoderBytes, OfAContiguousMatrixAreTheRowsOfTheRange) {
  source.sae.encoder.weight = TensorView::dense(DType::kF32, {kFeatures, kHidden}, file->bytes().data());
  EXPECT_THAT(read({25, 50}), ElementsAre(Pair(25 * kHidden * 4, 25 * kHidden * 4)));
  EXPECT_THAT(read({0, kFeatures}), ElementsAre(Pair(0, kFeatures * kHidden * 4)));
  EXPECT_THAT(read({30, 30}), ElementsAre());
}

TEST_F(EncoderBytes, OfATransposedMatrixAreAPieceOfEachOfItsRows) {
  source.sae.encoder.weight = {DType::kF32, {kFeatures, kHidden}, {1, kFeatures}, file->bytes().data()};
  const auto pieces = read({25, 50});
  ASSERT_EQ(pieces.size(), kHidden);
  for (std::size_t i = 0; i < kHidden; ++i) EXPECT_THAT(pieces[i], Pair((i * kFeatures + 25) * 4, 25 * 4));
}

}  // namespace
}  // namespace saescope
