// Whatever happened to the activation cache, results are those of a run without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/atomic_file.h"
#include "faults/tiny_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::ProcessResult;
using testing_support::TinyRun;
using testing_support::undisturbed_outputs;

void flip_bit(const fs::path& file, double place) {
  std::string bytes = read_file(file);
  char& byte = bytes[static_cast<std::size_t>(place * static_cast<double>(bytes.size() - 1))];
  byte = static_cast<char>(byte ^ 0x10);
  write_file_atomically(file, bytes);
}

TEST(DamagedCache, ABitFlippedAnywhereIsNoticedReportedAndComputedAgain) {
  const auto expected = undisturbed_outputs();
  const TinyRun run;
  ASSERT_EQ(run.run().exit_code, 0);
  const std::size_t files = run.cache_files().size();
  for (const double place : {0.0, 0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0}) {
    flip_bit(run.cache_files().front(), place);
    const ProcessResult result = run.run();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("a damaged file of the activation cache is removed")) << place;
    EXPECT_EQ(run.outputs(), expected) << place;
    EXPECT_EQ(run.cache_files().size(), files) << "the wave was not stored again";
    EXPECT_EQ(run.run().err, "") << "the damage was not mended";
  }
}

TEST(DamagedCache, FilesCutShortEmptiedOrForeignAreComputedAgain) {
  const auto expected = undisturbed_outputs();
  const TinyRun run;
  ASSERT_EQ(run.run().exit_code, 0);
  const auto files = run.cache_files();
  fs::resize_file(files.at(0), fs::file_size(files.at(0)) - 1);
  fs::resize_file(files.at(1), 0);
  fs::resize_file(files.at(2), fs::file_size(files.at(2)) + 4096);
  fs::copy_file(files.at(4), files.at(3), fs::copy_options::overwrite_existing);
  write_file_atomically(files.at(5), "what is this?");
  const ProcessResult result = run.run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(run.outputs(), expected);
}

TEST(DamagedCache, AClockThatJumpsChangesNothing) {
  const auto expected = undisturbed_outputs();
  const TinyRun run;
  ASSERT_EQ(run.run().exit_code, 0);
  using std::chrono::hours;
  const auto now = fs::file_time_type::clock::now();
  for (const auto offset : {hours(-24 * 365 * 40), hours(24 * 365 * 40)}) {
    for (const fs::path& file : run.cache_files()) fs::last_write_time(file, now + offset);
    for (const auto& entry : fs::directory_iterator(run.out())) fs::last_write_time(entry, now + offset);
    const ProcessResult result = run.run();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("0 distinct prefixes computed"));
    EXPECT_EQ(run.outputs(), expected);
  }
}

}  // namespace
}  // namespace saescope
