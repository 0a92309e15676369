#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("atomic_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      result.push_back(entry.path().filename().string());
    }
    return result;
  }

  fs::path folder_;
};

TEST_F(AtomicFileTest, AppearsOnCommitAlone) {
  AtomicFile file(folder_ / "out.csv");
  file.write("one\n");
  file.write("");
  file.write("two\n");
  EXPECT_FALSE(fs::exists(folder_ / "out.csv"));
  file.commit();
  EXPECT_EQ(read_file(folder_ / "out.csv"), "one\ntwo\n");
  EXPECT_EQ(names(), std::vector<std::string>{"out.csv"}) << "no temporary file is left";
}

TEST_F(AtomicFileTest, AKilledProcessWouldLeaveNothingInTheFolder) {
  AtomicFile file(folder_ / "out.csv");
  file.write(std::string(1 << 20, 'x'));
  EXPECT_TRUE(fs::is_empty(folder_)) << "this file system has no nameless files";
}

TEST_F(AtomicFileTest, WithoutCommitTheOldFileStays) {
  write_file_atomically(folder_ / "out.csv", "old");
  {
    AtomicFile file(folder_ / "out.csv");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder_ / "out.csv"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"out.csv"});
}

TEST_F(AtomicFileTest, ReplacesTheOldFileAndCreatesFolders) {
  const fs::path path = folder_ / "a" / "b" / "out.csv";
  write_file_atomically(path, "a longer old text");
  write_file_atomically(path, "new");
  EXPECT_EQ(read_file(path), "new");
}

TEST_F(AtomicFileTest, IsReadableAsTheUsersMaskAllows) {
  write_file_atomically(folder_ / "out.csv", "x");
  const std::string plain = folder_ / "plain";
  std::FILE* file = std::fopen(plain.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fclose(file);
  EXPECT_EQ(fs::status(folder_ / "out.csv").permissions(), fs::status(plain).permissions());
}

TEST_F(AtomicFileTest, RefusesPathsThatCannotBeFiles) {
  EXPECT_THROW(AtomicFile{folder_}, InputError);
  write_file_atomically(folder_ / "file", "x");
  EXPECT_THROW(AtomicFile(folder_ / "file" / "below"), RunError);
}

/// Makes writes past `bytes` of a file fail (EFBIG) as they do on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_ = {};
  void (*handler_)(int);
};

TEST_F(AtomicFileTest, AFailedWriteIsAnErrorAndLeavesTheOldFile) {
  write_file_atomically(folder_ / "out.csv", "old");
  {
    const FileSizeLimit limit(10'000);
    EXPECT_THROW(write_file_atomically(folder_ / "out.csv", std::string(1'000'000, 'x')), RunError);
    EXPECT_THROW(write_file_atomically(folder_ / "out.csv", std::string(10'001, 'x')), RunError);
  }
  EXPECT_EQ(read_file(folder_ / "out.csv"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"out.csv"});
}

TEST_F(AtomicFileTest, ReadFileNamesWhatItCannotRead) {
  try {
    read_file(folder_ / "absent");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_EQ(error.detail().where, (folder_ / "absent").string());
    EXPECT_EQ(error.detail().found, "No such file or directory");
  }
  EXPECT_THROW(read_file(folder_), InputError);
}

TEST_F(AtomicFileTest, ReadFileRefusesWhatIsTooLargeToBeAText) {
  write_file_atomically(folder_ / "hole", "");
  std::filesystem::resize_file(folder_ / "hole", kLargestTextFile + 1);
  EXPECT_THROW(read_file(folder_ / "hole"), InputError);
  EXPECT_THROW(read_file("/dev/zero"), InputError);
}

TEST_F(AtomicFileTest, ReadFileKeepsEveryByte) {
  std::string bytes(200'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  write_file_atomically(folder_ / "bytes", bytes);
  EXPECT_EQ(read_file(folder_ / "bytes"), bytes);
}

}  // namespace
}  // namespace saescope
