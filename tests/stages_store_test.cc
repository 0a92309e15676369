// What tasks share of a store: kinds of processors, copies of models, local copies, limits, and the flags.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>

#include "base/atomic_file.h"
#include "golden_files.h"
#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::ChildProcess;
using testing_support::count_in;
using testing_support::expect_same_outputs;
using testing_support::Outputs;
using testing_support::ProcessResult;
using testing_support::read_json;
using testing_support::run_process;
using testing_support::StagedRun;
using testing_support::whole_outputs;

const std::vector<std::string> kOtherProcessor = {"ONEDNN_MAX_CPU_ISA=AVX2", "SAESCOPE_MAX_CPU_ISA=avx2"};

void drop_report(Outputs& outputs) { EXPECT_EQ(outputs.erase("report.html"), 1u); }

std::string numerics_of(const StagedRun& run) { return read_json(run.job() / "job.json")["numerics"]; }

TEST(KindsOfProcessors, OtherNumericsOfBfloat16AreRefusedBeforeAnythingIsComputed) {
  const StagedRun run({"--dtype", "bf16"});
  run.run_all("forward", 1);
  const StagedRun other({"--dtype", "bf16"});
  other.run_all("forward", 1, kOtherProcessor);
  if (numerics_of(run) == numerics_of(other)) {
    GTEST_SKIP() << "NOT TESTED: this processor has no units for bfloat16";
  }
  const auto files = StagedRun::files_below(run.store());
  for (const auto& [stage, task] :
       {std::pair{"forward", "1/2"}, std::pair{"encode", "1/1"}, std::pair{"finish", ""}}) {
    const ProcessResult result = run.run(stage, task, {}, kOtherProcessor);
    EXPECT_EQ(result.exit_code, 2) << stage;
    EXPECT_THAT(result.err, AllOf(HasSubstr("rounds the model's products in another way"),
                                  HasSubstr(run.job().string()), HasSubstr("--dtype fp32")));
  }
  EXPECT_EQ(StagedRun::files_below(run.store()), files);
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs({"--dtype", "bf16"}));
}

/// The file says which kind began a job; the parts say theirs, too.
TEST(KindsOfProcessors, WhereTheJobsFileIsLostPartsOfAnotherKindAreNotJoined) {
  const StagedRun run({"--dtype", "bf16"});
  run.run_all("forward", 1);
  const std::string numerics = numerics_of(run);
  run.run_all("encode", 1);
  fs::remove(run.job() / "job.json");
  const ProcessResult result = run.run("finish", "", {}, kOtherProcessor);
  if (numerics_of(run) == numerics) GTEST_SKIP() << "NOT TESTED: this processor has no units for bfloat16";
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("of another kind of processor"), HasSubstr("1 of 1 parts")));
}

TEST(KindsOfProcessors, Float32MixesThem) {
  const StagedRun run({"--dtype", "fp32"});
  for (const char* stage : {"forward", "encode"}) {
    EXPECT_EQ(run.run(stage, "1/2").exit_code, 0);
    EXPECT_EQ(run.run(stage, "2/2", {}, kOtherProcessor).exit_code, 0);
  }
  Outputs outputs = run.finish({}, kOtherProcessor);
  Outputs expected = whole_outputs({"--dtype", "fp32"});
  drop_report(outputs);  // it names the processor
  drop_report(expected);
  expect_same_outputs(outputs, expected);
}

/// A copy of models and SAEs in another folder, of another time.
fs::path copy_elsewhere(const StagedRun& run, const std::string& name) {
  const fs::path elsewhere = run.folder() / name;
  fs::create_directory(elsewhere);
  for (const char* folder : {"tiny", "pipeline"}) {
    fs::copy(run.folder() / folder, elsewhere / folder, fs::copy_options::recursive);
  }
  for (const fs::path& file : StagedRun::files_below(elsewhere)) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(100));
  }
  return elsewhere / "pipeline/config.toml";
}

fs::path weights_below(const fs::path& folder) {
  return folder / "tiny/llama_untied_rope/model-00001-of-00003.safetensors";
}

/// Makes another number of one that lies deep in a file, and leaves its size and time as they were.
void change_a_number(const fs::path& file) {
  const auto time = fs::last_write_time(file);
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
    stream << "\x3d\x3d\x3d\x3d";
  }
  fs::last_write_time(file, time);
}

TEST(ModelsByContent, ACopyElsewhereFindsEverythingInTheStoreAndJoinsTheJob) {
  const StagedRun run;
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  const std::vector<std::string> copy = {"--config", copy_elsewhere(run, "elsewhere")};
  const auto waves = run.waves();
  const ProcessResult forward = run.run("forward", "1/1", copy);
  EXPECT_EQ(forward.exit_code, 0) << forward.err;
  EXPECT_THAT(forward.out, Not(HasSubstr("distinct prefixes computed")));
  EXPECT_THAT(run.run("encode", "1/1", copy).out, HasSubstr("this part is complete already"));
  EXPECT_EQ(run.waves(), waves);
  Outputs outputs = run.finish(copy);
  Outputs expected = whole_outputs();
  drop_report(outputs);  // it names the command, and the command the configuration
  drop_report(expected);
  expect_same_outputs(outputs, expected);
}

TEST(ModelsByContent, OtherWeightsOfTheSameSizeAndTimeAreAnotherModel) {
  const StagedRun run;
  run.run_all("forward", 1);
  const std::vector<std::string> copy = {"--config", copy_elsewhere(run, "elsewhere")};
  change_a_number(weights_below(run.folder() / "elsewhere"));
  EXPECT_GT(count_in(run.run("forward", "1/1", copy).out, "distinct prefixes computed"), 0u);
  // The same file, changed where it lies, though its content was noted:
  change_a_number(weights_below(run.folder()));
  EXPECT_THAT(run.run("forward", "1/1").out, Not(HasSubstr("distinct prefixes computed")))
      << "it is the copy's content now";
}

TEST(ModelsByContent, AnSaeThatWasChangedWhereItLiesIsAnotherJob) {
  const StagedRun run;
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  change_a_number(run.files().sae());
  const ProcessResult result = run.run("finish", "");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("1 of 1 parts of the stage encode are missing"));
}

TEST(LocalCopy, TwoProcessesAtOnceCopyOnceAndReadTheCopy) {
  const StagedRun run;
  const fs::path local = run.folder() / "local";
  std::deque<ChildProcess> tasks;
  for (const char* task : {"1/2", "2/2"}) {
    tasks.emplace_back(run.command("forward", task, {"--local-copy", local}), run.folder(),
                       run.environment());
  }
  for (ChildProcess& task : tasks) {
    const ProcessResult result = task.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("warning")));
  }
  auto copies = StagedRun::files_below(local);
  std::erase_if(copies, [](const fs::path& file) { return file.parent_path().filename() == ".locks"; });
  std::set<std::string> originals;  // a copy's name is a digest of 32 characters, a hyphen and the original's
  for (const fs::path& copy : copies) originals.insert(copy.filename().string().substr(33));
  EXPECT_EQ(originals.size(), copies.size());
  EXPECT_THAT(originals, ::testing::IsSupersetOf({"model-00001-of-00003.safetensors", "model.safetensors"}));
  run.run_all("encode", 1);
  expect_same_outputs(run.finish(), whole_outputs());

  for (const fs::path& copy : copies) {  // what is read is what lies there
    std::string bytes = read_file(copy);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), '\xff');
    std::ofstream(copy, std::ios::binary) << bytes;
  }
  const ProcessResult broken = run.run("forward", "1/1", {"--local-copy", local, "--dtype", "fp32"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("not a finite number"));
}

/// Stages and plain runs in the user's cache.
class UsualStore : public ::testing::Test {
 protected:
  ProcessResult run_with(const std::vector<std::string>& extra) {
    std::vector<std::string> arguments = run.flags();
    arguments.insert(arguments.begin(), SAESCOPE_EXECUTABLE);
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const ProcessResult result = run_process(arguments, run.folder(), run.environment());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }
  /// A run of something else that leaves the cache as small as it may.
  void trim() {
    run_with({"--dtype", "fp32", "--models", "qwen", "--analysis", "universal", "--cache-limit", "1"});
  }
  std::vector<fs::path> files() const { return StagedRun::files_below(run.files().cache()); }

  StagedRun run;
};

TEST_F(UsualStore, NothingIsRemovedWhileAJobIsUnfinishedAndAllOfItThen) {
  run_with({"--stage", "forward", "--task", "1/1"});
  run_with({"--stage", "encode", "--task", "1/2"});
  auto before = files();
  trim();
  auto after = files();
  std::vector<fs::path> removed;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(removed));
  EXPECT_THAT(removed, ::testing::IsEmpty());
  EXPECT_EQ(run_with({"--stage", "encode", "--task", "2/2"}).err, "");
  run.take_outputs();
  EXPECT_EQ(run_with({"--stage", "finish"}).err, "");
  expect_same_outputs(run.take_outputs(), whole_outputs());
  trim();
  EXPECT_THAT(files(), ::testing::IsEmpty());
}

TEST_F(UsualStore, AFinishedJobOnWhichATaskWorksAgainIsUnfinished) {
  run_with({"--stage", "forward", "--task", "1/1"});
  run_with({"--stage", "encode", "--task", "1/1"});
  run_with({"--stage", "finish"});
  run_with({"--stage", "encode", "--task", "1/2"});
  const auto before = files();
  trim();
  EXPECT_THAT(files(), ::testing::IsSupersetOf(before));
}

TEST(Store, APlainRunReadsAllThatAnEarlierOneLeftThere) {
  const StagedRun run;
  std::vector<std::string> arguments = run.flags();
  arguments.insert(arguments.begin(), SAESCOPE_EXECUTABLE);
  arguments.insert(arguments.end(), {"--store", run.store()});
  for (const char* pass : {"first", "second"}) {
    const ProcessResult result = run_process(arguments, run.folder(), run.environment());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    const bool computes = std::string(pass) == "first";
    EXPECT_EQ(count_in(result.out, "distinct prefixes computed") > 0, computes) << result.out;
    EXPECT_EQ(count_in(result.out, "prompts from the activation cache"), computes ? 0u : 60u);
    expect_same_outputs(run.take_outputs(), whole_outputs());
  }
}

TEST(Store, RelativePathsAndTheHomeFolderNameTheSamePlace) {
  const StagedRun run;
  run.run_all("forward", 1);
  const std::vector<std::string> home = {"HOME=" + run.folder().string()};
  EXPECT_EQ(run.run("encode", "1/1", {"--store", "store"}, home).err, "");
  const ProcessResult again = run.run("encode", "1/1", {"--store", "~/store"}, home);
  EXPECT_THAT(again.out, HasSubstr("this part is complete already")) << again.err;
  expect_same_outputs(run.finish({"--store=./store"}), whole_outputs());
}

struct Refused {
  std::vector<std::string> arguments;
  std::string message;
};

TEST(StageFlags, ThatDoNotFitTogetherAreRefusedBeforeAnythingIsWritten) {
  const StagedRun run;
  const std::string form = "I/N with I from 1 to N";
  for (const auto& [arguments, message] : std::vector<Refused>{
           {{"--stage", "forward"}, "--stage forward and --stage encode need --task"},
           {{"--stage", "encode"}, "--stage forward and --stage encode need --task"},
           {{"--stage", "finish", "--no-cache"}, "--no-cache leaves the stages without a store"},
           {{"--stage", "encode", "--task", "1/2", "--no-cache"}, "--no-cache leaves the stages"},
           {{"--stage", "join"}, "--stage"},
           {{"--stage", "encode", "--task", "0/2"}, form},
           {{"--stage", "encode", "--task", "3/2"}, form},
           {{"--stage", "encode", "--task", "1/0"}, form},
           {{"--stage", "encode", "--task", "1"}, form},
           {{"--stage", "encode", "--task", "/"}, form},
           {{"--stage", "encode", "--task", "1/2/3"}, form},
           {{"--stage", "encode", "--task", "-1/2"}, form},
           {{"--stage", "encode", "--task", "1/99999999999999999999"}, form},
           {{"--stage", "encode", "--task", "one/two"}, form},
           {{"--stage", "encode", "--task", "auto"}, "no task of an array"},
           {{"--stage", "encode", "--task", "auto/3"}, "no task of an array"}}) {
    std::vector<std::string> all = run.flags();
    all.insert(all.begin(), SAESCOPE_EXECUTABLE);
    all.insert(all.end(), {"--store", run.store()});
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProcessResult result = run_process(all, run.folder(), run.environment());
    EXPECT_EQ(result.exit_code, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  EXPECT_FALSE(fs::exists(run.store()));
  EXPECT_TRUE(run.take_outputs().empty());
}

TEST(StageFlags, ATaskWithoutAStageIsWarnedOfAndChangesNothing) {
  const StagedRun run;
  std::vector<std::string> arguments = run.flags();
  arguments.insert(arguments.begin(), SAESCOPE_EXECUTABLE);
  arguments.insert(arguments.end(), {"--task", "2/3"});
  const ProcessResult result = run_process(arguments, run.folder(), run.environment());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("a run without --stage does not use --task"));
  expect_same_outputs(run.take_outputs(), whole_outputs());
}

TEST(StageFlags, AnArraysVariablesNumberTheTasks) {
  const StagedRun run;
  const std::vector<std::string> array = {"SLURM_ARRAY_TASK_MIN=1", "SLURM_ARRAY_TASK_MAX=2"};
  for (const char* stage : {"forward", "encode"}) {
    for (const char* index : {"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_ID=2"}) {
      EXPECT_EQ(run.run(stage, "auto", {}, {array[0], array[1], index}).err, "");
    }
  }
  expect_same_outputs(run.finish(), whole_outputs());
}

TEST(StageFlags, ADryRunOfAStageWritesNothing) {
  const StagedRun run;
  for (const auto& [stage, task] :
       {std::pair{"forward", "1/2"}, std::pair{"encode", "1/2"}, std::pair{"finish", ""}}) {
    EXPECT_EQ(run.run(stage, task, {"--dry-run"}).exit_code, 0) << stage;
  }
  EXPECT_FALSE(fs::exists(run.store()));
  EXPECT_TRUE(run.take_outputs().empty());
}

TEST(StageFlags, EveryLineOfJsonProgressIsAnObject) {
  const StagedRun run;
  for (const auto& [stage, task] :
       {std::pair{"finish", ""}, std::pair{"encode", "1/1"}, std::pair{"forward", "1/1"},
        std::pair{"encode", "1/2"}, std::pair{"finish", ""}}) {
    const ProcessResult result = run.run(stage, task, {"--progress=json"}, {"SAESCOPE_STORE_WAIT=1"});
    std::istringstream lines(result.err);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).is_object()) << stage << ": " << line;
    }
  }
}

}  // namespace
}  // namespace saescope
