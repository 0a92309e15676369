#include "tensor/mapped_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope {
namespace {

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / (std::string("mapped_") + test->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& contents) const {
    const auto path = folder_ / "file";
    write_file_atomically(path, contents);
    return path;
  }

  static std::string text_of(const MappedFile& mapped) {
    return {reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()};
  }

  std::filesystem::path folder_;
};

TEST_F(MappedFileTest, ShowsTheFilesBytes) {
  const auto path = file("contents");
  const MappedFile mapped(path);
  EXPECT_EQ(text_of(mapped), "contents");
  EXPECT_EQ(mapped.path(), path);
}

TEST_F(MappedFileTest, PointersSurviveAMove) {
  MappedFile first(file("contents"));
  const std::byte* data = first.bytes().data();
  MappedFile second(std::move(first));
  EXPECT_EQ(second.bytes().data(), data);
  MappedFile third;
  third = std::move(second);
  EXPECT_EQ(third.bytes().data(), data);
  EXPECT_EQ(text_of(third), "contents");
}

TEST_F(MappedFileTest, RefusesWhatCannotBeMapped) {
  EXPECT_THROW(MappedFile(folder_ / "absent"), InputError);
  EXPECT_THROW(MappedFile(folder_.string()), InputError);
  EXPECT_THROW(MappedFile(file("")), InputError);
}

}  // namespace
}  // namespace saescope
