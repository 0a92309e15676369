// Whatever happened to the files of a job, its results are those of one run, or it says what lacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/atomic_file.h"
#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::expect_same_outputs;
using testing_support::Outputs;
using testing_support::ProcessResult;
using testing_support::StagedRun;
using testing_support::whole_outputs;

/// What is done to a file's bytes.
struct Damage {
  const char* name;
  std::function<void(std::string&)> apply;
};

void flip_bit(std::string& bytes, double place) {
  char& byte = bytes[static_cast<std::size_t>(place * static_cast<double>(bytes.size() - 1))];
  byte = static_cast<char>(byte ^ 0x01);
}

std::vector<Damage> damages() {
  return {{"first byte", [](std::string& bytes) { flip_bit(bytes, 0); }},
          {"header", [](std::string& bytes) { flip_bit(bytes, 0.05); }},
          {"a fifth", [](std::string& bytes) { flip_bit(bytes, 0.2); }},
          {"middle", [](std::string& bytes) { flip_bit(bytes, 0.5); }},
          {"last byte", [](std::string& bytes) { flip_bit(bytes, 1); }},
          {"cut short by one", [](std::string& bytes) { bytes.pop_back(); }},
          {"half of it", [](std::string& bytes) { bytes.resize(bytes.size() / 2); }},
          {"empty", [](std::string& bytes) { bytes.clear(); }},
          {"padded", [](std::string& bytes) { bytes += std::string(4096, '\0'); }},
          {"foreign", [](std::string& bytes) { bytes = "what is this?"; }}};
}

void damage(const fs::path& file, const Damage& how) {
  std::string bytes = read_file(file);
  how.apply(bytes);
  write_file_atomically(file, bytes);
}

/// A job that only lacks its finish. Small outputs: the damage is what takes the time.
class DamagedJob : public ::testing::Test {
 protected:
  static std::vector<std::string> flags() { return {"--batch-tokens", "40"}; }
  void SetUp() override {
    run.run_all("forward", 1);
    run.run_all("encode", 2);
  }
  /// Finish must name the part, its task must make it again, and then the bytes are right.
  void expect_reported_and_made_again(const std::string& what) {
    const ProcessResult refused = run.run("finish", "");
    EXPECT_EQ(refused.exit_code, 1) << what;
    EXPECT_THAT(refused.err,
                AllOf(HasSubstr("a file of the job does not count"),
                      HasSubstr("1 of 2 parts of the stage encode are missing"), HasSubstr("1/2")))
        << what;
    EXPECT_TRUE(run.take_outputs().empty()) << what;
    EXPECT_EQ(run.run("encode", "1/2").exit_code, 0) << what;
    EXPECT_EQ(run.run("finish", "").exit_code, 0) << what;
    expect_same_outputs(run.take_outputs(), whole_outputs(flags()));
  }
  /// Of the first task's part of the first model.
  fs::path part_file(const std::string& prefix) const {
    return StagedRun::files_below(run.job() / "encode-1-of-2/model-1", prefix).at(0);
  }

  const StagedRun run{flags()};
};

TEST_F(DamagedJob, AStateIsReportedAndMadeAgain) {
  for (const Damage& how : damages()) {
    damage(part_file("state-"), how);
    expect_reported_and_made_again(how.name);
  }
}

/// The text that says how many prompts are in, and of which files the rows are, has a checksum of its own.
TEST_F(DamagedJob, AStateThatSaysAnotherNumberOfPromptsIsReportedAndMadeAgain) {
  std::string bytes = read_file(part_file("state-"));
  const std::string key = "\\\"done\\\":";
  const std::size_t at = bytes.find(key);
  ASSERT_NE(at, std::string::npos);
  bytes[at + key.size()] = '2';  // of 30
  write_file_atomically(part_file("state-"), bytes);
  expect_reported_and_made_again("another number of prompts");
}

TEST_F(DamagedJob, RowsAreReportedAndMadeAgain) {
  for (const Damage& how : damages()) {
    damage(part_file("rows-"), how);
    expect_reported_and_made_again(how.name);
  }
}

TEST_F(DamagedJob, RowsThatVanishAreReportedAndMadeAgain) {
  fs::remove(part_file("rows-"));
  expect_reported_and_made_again("rows vanished");
  fs::remove_all(run.job() / "encode-1-of-2/model-1");
  EXPECT_EQ(run.run("finish", "").exit_code, 1);
  EXPECT_EQ(run.run("encode", "1/2").exit_code, 0);
  expect_same_outputs(run.finish(), whole_outputs(flags()));
}

/// Parts of a task in the place of another's, or of another model's.
TEST_F(DamagedJob, PartsThatChangedPlacesAreRefused) {
  const fs::path job = run.job();
  fs::rename(job / "encode-1-of-2/model-1", job / "aside");
  fs::rename(job / "encode-2-of-2/model-1", job / "encode-1-of-2/model-1");
  fs::rename(job / "aside", job / "encode-2-of-2/model-1");
  const ProcessResult result = run.run("finish", "");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("encode-1-of-2/model-1"));
  EXPECT_TRUE(run.take_outputs().empty());
}

TEST_F(DamagedJob, TheJobsFileIsReportedAndMadeAgain) {
  const std::string whole = read_file(run.job() / "job.json");
  const fs::path file = run.job() / "job.json";
  for (const char* text : {"", "{", "[]", "{}", R"({"numerics": 3})", "\xff\xfe"}) {
    write_file_atomically(file, text);
    const ProcessResult result = run.run("finish", "");
    EXPECT_EQ(result.exit_code, 0) << text;
    EXPECT_THAT(result.err, AllOf(HasSubstr(file.string()), HasSubstr("written again"))) << text;
    EXPECT_EQ(read_file(file), whole) << text;
    expect_same_outputs(run.take_outputs(), whole_outputs(flags()));
  }
}

TEST_F(DamagedJob, FoldersThatAreNoPartsAreNoTasks) {
  for (const char* name :
       {"encode-1-of-3", "encode-x-of-y", "encode-1-of-0", "encode-1-of-99999999999999999999",
        "encode-1-of-4294967296", "encode-", "of-", "encode-1-of-2 (copy)"}) {
    fs::create_directories(run.job() / name / "model-1");
  }
  expect_same_outputs(run.finish(), whole_outputs(flags()));
}

/// Activations of the stage forward, as the stage encode meets them.
TEST(DamagedStore, WavesAreReportedComputedAgainAndTheSameBytesComeOut) {
  const std::vector<std::string> flags = {"--batch-tokens", "40"};
  for (const Damage& how : damages()) {
    const StagedRun run(flags);
    run.run_all("forward", 1);
    const auto waves = run.waves();
    damage(waves.at(0), how);
    damage(waves.at(waves.size() / 2), how);
    damage(waves.back(), how);
    const ProcessResult encode = run.run("encode", "1/1");
    EXPECT_EQ(encode.exit_code, 0) << how.name << encode.err;
    EXPECT_NE(encode.err, "") << how.name;
    expect_same_outputs(run.finish(), whole_outputs(flags));
  }
}

/// What a file of weights holds is noted beside its place; a note that is damaged costs reading the file
/// again.
TEST(DamagedStore, NotesOfContentsThatAreNoDigestsAreMadeAgain) {
  const StagedRun run;
  run.run_all("forward", 1);
  const auto waves = run.waves();
  const auto notes = StagedRun::files_below(run.store() / "contents");
  ASSERT_FALSE(notes.empty());
  for (const char* text : {"", "0123", "what is this?"}) {
    for (const fs::path& note : notes) write_file_atomically(note, text);
    const ProcessResult again = run.run("forward", "1/1");
    EXPECT_EQ(again.exit_code, 0) << text;
    EXPECT_EQ(run.waves(), waves) << text;
  }
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs());
}

}  // namespace
}  // namespace saescope
