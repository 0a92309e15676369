#include "engine/activation_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/atomic_file.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

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

  ActivationCache open() { return {folder, kHidden, uint64_t{1} << 30, progress}; }
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
  EXPECT_EQ(cache.find(b, 4)[2], 6.0f);
  EXPECT_EQ(cache.find(a, 9)[0], 10.0f);
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
  ActivationCache cache(folder, kHidden + 1, uint64_t{1} << 30, progress);
  EXPECT_FALSE(cache.contains(a, layers));
}

TEST_F(ActivationCacheTest, AFolderThatCannotBeWrittenCostsOnlyTheSaving) {
  folder /= "file";
  write_file_atomically(folder, "in the way");
  store(open());
  EXPECT_THAT(progress.warnings, SizeIs(1));
  folder = folder.parent_path();
}

TEST_F(ActivationCacheTest, ALongRunKeepsToTheLimitWhileItStores) {
  ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  const std::filesystem::path root = folder / "saescope/activations";
  write_file_atomically(root / "m/old.safetensors", std::string(2000, 'x'));
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(root / "m/old.safetensors", now - std::chrono::hours(1));
  store(ActivationCache(root / "n", kHidden, 1000, progress));
  EXPECT_FALSE(std::filesystem::exists(root / "m/old.safetensors"));
  EXPECT_FALSE(std::filesystem::is_empty(root / "n"));
  ::unsetenv("XDG_CACHE_HOME");
}

TEST_F(ActivationCacheTest, TrimmingRemovesTheLongestUnusedFilesFirst) {
  ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  const std::filesystem::path root = folder / "saescope/activations";
  write_file_atomically(root / "m/old.safetensors", std::string(100, 'x'));
  write_file_atomically(root / "n/new.safetensors", std::string(100, 'x'));
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(root / "m/old.safetensors", now - std::chrono::hours(1));
  trim_activation_cache(150, progress);
  EXPECT_FALSE(std::filesystem::exists(root / "m/old.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(root / "n/new.safetensors"));
  trim_activation_cache(150, progress);
  EXPECT_TRUE(std::filesystem::exists(root / "n/new.safetensors"));
  ::unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace saescope
