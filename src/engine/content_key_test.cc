#include "engine/content_key.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/atomic_file.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

class ContentKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "saescope-key.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path file(const std::string& name, const std::string& bytes) const {
    write_file_atomically(folder / name, bytes);
    return folder / name;
  }
  std::string key(const fs::path& path) const {
    return content_key(MappedFile(path), path, store(), context);
  }
  fs::path store() const { return folder / "store"; }

  fs::path folder;
  SilentProgress progress;
  CancelToken cancel;
  Context context = {.threads = 2, .progress = &progress, .cancel = &cancel};
};

TEST_F(ContentKeyTest, CopiesHaveOneKeyWhereverTheyLieAndWhateverTheirTime) {
  const fs::path one = file("one.bin", "the same content");
  const fs::path other = file("deep/other.bin", "the same content");
  fs::last_write_time(other, fs::file_time_type::clock::now() - std::chrono::hours(5));
  EXPECT_EQ(key(one), key(other));
  EXPECT_NE(key(one), key(file("third.bin", "another content.")));
}

/// Fine-tuned models have the same headers and sizes as what they were made of.
TEST_F(ContentKeyTest, OneByteInTheMiddleIsAnotherContent) {
  std::string bytes(200'000, 'a');
  const std::string before = key(file("one.bin", bytes));
  bytes[100'001] = 'b';
  EXPECT_NE(key(file("two.bin", bytes)), before);
}

TEST_F(ContentKeyTest, AFileThatIsWrittenToGetsAnotherKeyThoughItsSizeStays) {
  const fs::path path = file("one.bin", "first content");
  const std::string before = key(path);
  file("one.bin", "other content");
  EXPECT_NE(key(path), before);
}

TEST_F(ContentKeyTest, IsKnownWithoutReadingOnceItWasRead) {
  const fs::path path = file("one.bin", "content");
  EXPECT_EQ(known_content_key(path, store()), std::nullopt);
  const std::string read = key(path);
  EXPECT_EQ(known_content_key(path, store()), read);
}

TEST_F(ContentKeyTest, ABlobOfTheHubsCacheIsNamedByItsContentAlready) {
  const std::string name(64, 'a');
  const fs::path blob = file("models--m/blobs/" + name, "content");
  fs::create_directories(folder / "models--m/snapshots/c");
  fs::create_symlink(blob, folder / "models--m/snapshots/c/model.safetensors");
  EXPECT_EQ(known_content_key(folder / "models--m/snapshots/c/model.safetensors", store()), name);
}

TEST_F(ContentKeyTest, AStoreThatCannotBeWrittenCostsOnlyTheNote) {
  write_file_atomically(store(), "in the way");
  const fs::path path = file("one.bin", "content");
  EXPECT_EQ(key(path), key(path));
}

TEST_F(ContentKeyTest, OfASmallFileEveryByteIsSampled) {
  std::string bytes(3'000'000, 'a');
  const std::string before = sampled_key(MappedFile(file("small.bin", bytes)));
  bytes[1'234'567] = 'b';
  EXPECT_NE(sampled_key(MappedFile(file("changed.bin", bytes))), before);
}

TEST_F(ContentKeyTest, SamplesTellFilesApartByHeaderSizeAndPlacesAllOverThem) {
  const std::string bytes(70'000'000, 'a');
  const auto sampled = [&](const std::string& content) {
    return sampled_key(MappedFile(file("sampled.bin", content)));
  };
  const std::string before = sampled(bytes);
  EXPECT_EQ(sampled(bytes), before);
  EXPECT_NE(sampled(bytes + "a"), before);
  for (const std::size_t changed : {std::size_t{100}, bytes.size() - 1}) {
    std::string other = bytes;
    other[changed] = 'b';
    EXPECT_NE(sampled(other), before) << changed;
  }
  EXPECT_NE(sampled(std::string(bytes.size(), 'b')), before);
}

}  // namespace
}  // namespace saescope
