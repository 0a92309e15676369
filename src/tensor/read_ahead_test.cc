#include "tensor/read_ahead.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "base/atomic_file.h"
#include "tensor/mapped_file.h"

namespace saescope {
namespace {

/// Whether this process has the page of `byte` in its page table, without touching it (/proc/self/pagemap,
/// bit 63).
bool is_mapped(const std::byte* byte) {
  const auto page_size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  uint64_t entry = 0;
  const auto offset = static_cast<off_t>(reinterpret_cast<uintptr_t>(byte) / page_size * sizeof entry);
  const bool read =
      fd >= 0 && ::pread(fd, &entry, sizeof entry, offset) == static_cast<ssize_t>(sizeof entry);
  if (fd >= 0) ::close(fd);
  return read && (entry >> 63) == 1;
}

class ReadAheadTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kStep = 12 << 20;  // more than one piece

  ReadAheadTest() {
    write_file_atomically(path_, std::string(4 * kStep, 'x'));
    file_ = MappedFile(path_);
  }
  ~ReadAheadTest() override { std::filesystem::remove(path_); }

  std::span<const std::byte> step(std::size_t i) const { return file_.bytes().subspan(i * kStep, kStep); }
  std::vector<ReadAhead::Step> steps() const { return {{step(0)}, {step(1)}, {step(2)}, {step(3)}}; }

  bool arrives(std::size_t i) const {
    for (int tries = 0; tries < 1000; ++tries) {
      if (is_mapped(step(i).data()) && is_mapped(&step(i).back())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::filesystem::path path_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("read_ahead_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
  MappedFile file_;
};

TEST_F(ReadAheadTest, BringsInTheStepsThatFollowTheOneAtWork) {
  EXPECT_FALSE(is_mapped(&step(1).back()));
  ReadAhead read_ahead;
  read_ahead.start(steps());
  EXPECT_TRUE(arrives(0));
  EXPECT_TRUE(arrives(1));
  read_ahead.reach(2);
  EXPECT_TRUE(arrives(3));
}

/// A sparse file: its pages are zeros that take no disk.
TEST_F(ReadAheadTest, WaitsWithAStepThatBeginsMoreThanAGibibyteBehind) {
  constexpr std::size_t kBig = (std::size_t{1} << 30) + 4096;
  std::filesystem::resize_file(path_, kBig + kStep);
  const MappedFile sparse(path_);
  const auto big = sparse.bytes().first(kBig);
  const auto far = sparse.bytes().subspan(kBig, kStep);
  const auto arrived = [](const std::byte& byte) {
    for (int tries = 0; tries < 3000 && !is_mapped(&byte); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return is_mapped(&byte);
  };
  ReadAhead read_ahead;
  read_ahead.start({{step(0)}, {big}, {far}});
  EXPECT_TRUE(arrived(big.back()));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(is_mapped(&far.back()));
  read_ahead.reach(1);
  EXPECT_TRUE(arrived(far.back()));
}

TEST_F(ReadAheadTest, ANewWalkReplacesTheOneBefore) {
  ReadAhead read_ahead;
  read_ahead.start(steps());
  read_ahead.start({{step(3)}});
  EXPECT_TRUE(arrives(3));
}

TEST_F(ReadAheadTest, StepsThatAreSkippedAreNotWaitedFor) {
  ReadAhead read_ahead;
  read_ahead.start(steps());
  read_ahead.reach(3);
  EXPECT_TRUE(arrives(3));
}

}  // namespace
}  // namespace saescope
