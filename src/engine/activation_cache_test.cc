#include "engine/activation_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "engine/cache_folder.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kHidden = 3;

class ActivationCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "saescope-cache.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  ActivationCache open(ActivationCache::Settings settings = {}) {
    return {folder, kHidden, std::move(settings), progress};
  }
  void store(ActivationCache cache) {
    const std::vector<PrefixKey> keys = {a, b};
    const std::vector<float> low = {1, 2, 3, 4, 5, 6};
    const std::vector<float> high = {10, 20, 30, 40, 50, 60};
    const std::vector<MatrixView<const float>> views = {{low.data(), 2, kHidden, kHidden},
                                                        {high.data(), 2, kHidden, kHidden}};
    cache.store(keys, layers, views);
  }
  std::filesystem::path only_file() { return std::filesystem::directory_iterator(folder)->path(); }

  std::filesystem::path folder;
  SilentProgress progress;
  std::vector<std::size_t> layers = {4, 9};
  PrefixKey a = prefix_key(std::vector<int32_t>{1, 2, 3});
  PrefixKey b = prefix_key(std::vector<int32_t>{1, 2});
};

TEST_F(ActivationCacheTest, KeysDifferByEveryTokenAndByLength) {
  EXPECT_EQ(a, prefix_key(std::vector<int32_t>{1, 2, 3}));
  EXPECT_NE(a, b);
  EXPECT_NE(a, prefix_key(std::vector<int32_t>{1, 2, 4}));
}

TEST_F(ActivationCacheTest, FindsWhatAnEarlierRunStoredForEveryLayerOfIt) {
  store(open());
  ActivationCache cache = open();
  ASSERT_TRUE(cache.contains(a, layers));
  ASSERT_TRUE(cache.contains(b, std::vector<std::size_t>{9}));
  std::vector<float> row(kHidden);
  cache.read(b, 4, row);
  EXPECT_THAT(row, ElementsAre(4, 5, 6));
  cache.read(a, 9, row);
  EXPECT_THAT(row, ElementsAre(10, 20, 30));
  EXPECT_FALSE(cache.contains(a, std::vector<std::size_t>{4, 5}));
  EXPECT_FALSE(cache.contains(prefix_key(std::vector<int32_t>{7}), layers));
}

TEST_F(ActivationCacheTest, ADamagedFileIsReportedRemovedAndNotUsed) {
  store(open());
  std::string bytes = read_file(only_file());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(only_file(), bytes);
  ActivationCache cache = open();
  EXPECT_FALSE(cache.contains(a, layers));
  EXPECT_THAT(progress.warnings, SizeIs(1));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(ActivationCacheTest, ATruncatedFileIsReportedRemovedAndNotUsed) {
  store(open());
  const std::filesystem::path file = only_file();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_FALSE(open().contains(a, layers));
  EXPECT_THAT(progress.warnings, SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(ActivationCacheTest, ActivationsOfAnotherSizeAreNotUsed) {
  store(open());
  ActivationCache cache(folder, kHidden + 1, {}, progress);
  EXPECT_FALSE(cache.contains(a, layers));
}

TEST_F(ActivationCacheTest, AFolderThatCannotBeWrittenCostsOnlyTheSaving) {
  folder /= "file";
  write_file_atomically(folder, "in the way");
  store(open());
  EXPECT_THAT(progress.warnings, SizeIs(1));
  folder = folder.parent_path();
}

TEST_F(ActivationCacheTest, AStoreThatOthersNeedAndThatCannotBeWrittenEndsTheRun) {
  folder /= "file";
  write_file_atomically(folder, "in the way");
  EXPECT_THROW(store(open({.store = {}, .limit = {}, .needed = true})), RunError);
  EXPECT_THAT(progress.warnings, IsEmpty());
  folder = folder.parent_path();
}

TEST_F(ActivationCacheTest, FilesOfOtherProcessesAreSeenWhenItLooksAgain) {
  ActivationCache cache = open();
  store(open());
  EXPECT_FALSE(cache.lists(a, layers));
  cache.refresh();
  EXPECT_TRUE(cache.lists(a, layers));
  EXPECT_TRUE(cache.contains(a, layers));
}

/// On NFS a folder may list a file that cannot be opened yet.
TEST_F(ActivationCacheTest, AFileThatCannotBeOpenedStaysAndIsTriedAgain) {
  store(open());
  const std::filesystem::path file = only_file();
  const std::filesystem::path elsewhere = folder.string() + "-elsewhere";
  std::filesystem::rename(file, elsewhere);
  std::filesystem::create_symlink(elsewhere.string() + "-late", file);  // listed, but not there
  ActivationCache cache = open();
  EXPECT_FALSE(cache.lists(a, layers));
  EXPECT_TRUE(std::filesystem::is_symlink(file));
  std::filesystem::rename(elsewhere, elsewhere.string() + "-late");
  cache.refresh();
  EXPECT_TRUE(cache.lists(a, layers));
  EXPECT_THAT(progress.warnings, IsEmpty());
  std::filesystem::remove(elsewhere.string() + "-late");
}

TEST_F(ActivationCacheTest, RowsOfBfloat16TakeHalfAndComeBackAsTheyWereRounded) {
  store(open());
  const auto wide = std::filesystem::file_size(only_file());
  std::filesystem::remove(only_file());
  const ActivationCache::Settings settings = {
      .store = {}, .limit = {}, .needed = false, .dtype = DType::kBF16};
  store(open(settings));
  EXPECT_LT(std::filesystem::file_size(only_file()), wide);
  ActivationCache cache = open(settings);
  ASSERT_TRUE(cache.contains(b, layers));
  std::vector<float> row(kHidden);
  cache.read(b, 9, row);
  EXPECT_THAT(row, ElementsAre(40, 50, 60));
  EXPECT_FALSE(open().contains(b, layers)) << "another precision's file";
}

TEST_F(ActivationCacheTest, EveryPositionsKeyIsThatOfTheIdsUpToIt) {
  const std::vector<int32_t> ids = {5, 6, 5};
  const std::vector<PrefixKey> keys = prefix_keys(ids);
  ASSERT_THAT(keys, SizeIs(3));
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(keys[i], prefix_key(std::span(ids).first(i + 1)));
}

TEST_F(ActivationCacheTest, ALongRunKeepsToTheLimitWhileItStores) {
  const std::filesystem::path store_folder = folder;
  write_file_atomically(store_folder / "m/old.safetensors", std::string(2000, 'x'));
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(store_folder / "m/old.safetensors", now - std::chrono::hours(1));
  store(ActivationCache(store_folder / "n", kHidden, {store_folder, 1000}, progress));
  EXPECT_FALSE(std::filesystem::exists(store_folder / "m/old.safetensors"));
  EXPECT_FALSE(std::filesystem::is_empty(store_folder / "n"));
}

class TrimmedStore : public ActivationCacheTest {
 protected:
  void SetUp() override {
    ActivationCacheTest::SetUp();
    write_file_atomically(old_file(), std::string(100, 'x'));
    write_file_atomically(new_file(), std::string(100, 'x'));
    age(old_file(), std::chrono::hours(1));
  }
  static void age(const std::filesystem::path& file, std::chrono::hours hours) {
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - hours);
  }
  std::filesystem::path old_file() const { return folder / "m/old.safetensors"; }
  std::filesystem::path new_file() const { return folder / "n/new.safetensors"; }
};

TEST_F(TrimmedStore, LosesTheLongestUnusedFilesFirst) {
  trim_store(folder, 150, progress);
  EXPECT_FALSE(std::filesystem::exists(old_file()));
  EXPECT_TRUE(std::filesystem::exists(new_file()));
  trim_store(folder, 150, progress);
  EXPECT_TRUE(std::filesystem::exists(new_file()));
}

TEST_F(TrimmedStore, LosesNothingWhileAJobWaitsForIt) {
  const std::filesystem::path job = jobs_folder(folder) / "job";
  write_file_atomically(job / "job.json", "{}");
  trim_store(folder, 150, progress);
  EXPECT_TRUE(std::filesystem::exists(old_file()));
  mark_finished(job);
  trim_store(folder, 150, progress);
  EXPECT_FALSE(std::filesystem::exists(old_file()));
}

TEST_F(TrimmedStore, DoesNotWaitForAJobThatNobodyHasWorkedOnForAWeek) {
  const std::filesystem::path manifest = jobs_folder(folder) / "job/job.json";
  write_file_atomically(manifest, "{}");
  age(manifest, std::chrono::hours(8 * 24));
  trim_store(folder, 150, progress);
  EXPECT_FALSE(std::filesystem::exists(old_file()));
}

}  // namespace
}  // namespace saescope
