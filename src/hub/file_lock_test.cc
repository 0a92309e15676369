#include "hub/file_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/progress.h"
#include "hub/hub.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

class FileLockTest : public ::testing::Test {
 protected:
  FileLockTest() {
    std::string pattern = (fs::temp_directory_path() / "saescope-lock-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  ~FileLockTest() override {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  fs::path folder;
  SilentProgress progress;
  CancelToken cancel;
  Context context{.threads = 1, .progress = &progress, .cancel = &cancel};
};

TEST_F(FileLockTest, HoldsTheFileAgainstOthersForItsLife) {
  const fs::path path = folder / "a" / "b.lock";
  int other = -1;
  {
    const FileLock lock(path, context);
    other = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(other, 0);
    EXPECT_NE(::flock(other, LOCK_EX | LOCK_NB), 0);
  }
  EXPECT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  ::close(other);
}

TEST_F(FileLockTest, WaitingEndsWhenTheRunIsCancelled) {
  const FileLock held(folder / "x.lock", context);
  CancelToken cancelled;
  cancelled.request(2);
  const Context waiting{.threads = 1, .progress = &progress, .cancel = &cancelled};
  EXPECT_THROW(FileLock(folder / "x.lock", waiting), Interrupted);
}

TEST_F(FileLockTest, AFolderThatCannotBeMadeIsNamed) {
  std::fclose(std::fopen((folder / "file").c_str(), "we"));
  EXPECT_THROW(FileLock(folder / "file" / "x.lock", context), FolderError);
}

}  // namespace
}  // namespace saescope
