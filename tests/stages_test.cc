// A run that is cut into tasks gives the bytes of one run, however it is cut.
#include "staged_run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <fstream>

#include "base/atomic_file.h"
#include "golden_files.h"

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
using testing_support::run_process;
using testing_support::StagedRun;
using testing_support::whole_outputs;

struct Cut {
  int forward;
  int encode;
  std::string dtype;
};

class StagesCut : public ::testing::TestWithParam<Cut> {};

TEST_P(StagesCut, GivesTheBytesOfOneRunInEveryOutput) {
  const auto& [forward, encode, dtype] = GetParam();
  const StagedRun run({"--dtype", dtype});
  const auto seed = static_cast<unsigned>(forward * 100 + encode);
  run.run_all("forward", forward, {}, seed);
  const std::size_t waves = run.waves().size();
  run.run_all("encode", encode, {}, seed);
  EXPECT_EQ(run.waves().size(), waves) << "the stage encode computed what the stage forward had";
  const Outputs outputs = run.finish();
  EXPECT_EQ(outputs.size(), 7u);
  expect_same_outputs(outputs, whole_outputs({"--dtype", dtype}));
}

/// The last have more tasks than there are prompts (30), and more than there are chosen features.
INSTANTIATE_TEST_SUITE_P(, StagesCut,
                         ::testing::Values(Cut{1, 1, "bf16"}, Cut{2, 3, "bf16"}, Cut{3, 2, "bf16"},
                                           Cut{7, 7, "bf16"}, Cut{33, 11, "bf16"}, Cut{1, 1, "fp32"},
                                           Cut{2, 3, "fp32"}, Cut{3, 2, "fp32"}, Cut{7, 7, "fp32"},
                                           Cut{33, 11, "fp32"}),
                         [](const auto& cut) {
                           return fmt::format("{}ForwardAnd{}EncodeIn{}", cut.param.forward, cut.param.encode,
                                              cut.param.dtype);
                         });

/// Everything in one argument list: what is not named is not analysed.
std::vector<std::string> specific_alone() { return {"--analysis", "specific"}; }

TEST(Stages, AStoreInBfloat16GivesTheBytesOfOneRunThatRoundsSo) {
  const std::vector<std::string> rounded = {"--store-dtype", "bf16"};
  const StagedRun run(rounded);
  run.run_all("forward", 2);
  run.run_all("encode", 3);
  const Outputs outputs = run.finish();
  expect_same_outputs(outputs, whole_outputs(rounded));
  EXPECT_NE(outputs.at("universal.csv"), whole_outputs().at("universal.csv"));
}

TEST(Stages, MoreTasksThanChosenFeaturesGiveTheBytesOfOneRun) {
  const StagedRun run(specific_alone());
  run.run_all("forward", 2);
  run.run_all("encode", 9);
  expect_same_outputs(run.finish(), whole_outputs(specific_alone()));
}

TEST(Stages, MoreTasksThanADictionaryHasFeaturesGiveTheBytesOfOneRun) {
  const std::vector<std::string> small = {"--analysis", "universal", "--models", "llama",   "--layers",
                                          "1",          "--tokens",  "asst",     "--dtype", "fp32"};
  const StagedRun run(small);
  run.run_all("forward", 1);
  run.run_all("encode", 260);
  expect_same_outputs(run.finish(), whole_outputs(small));
}

/// Long prompts are left out of one model and not of the other, since their templates differ.
TEST(Stages, PromptsThatAreLeftOutAreLeftOut) {
  const std::vector<std::string> skipping = {"--skip-long", "--max-tokens", "22"};
  const StagedRun run(skipping);
  for (const char* stage : {"forward", "encode"}) {
    for (const char* task : {"1/2", "2/2"}) {
      const ProcessResult result = run.run(stage, task);
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_THAT(result.err,
                  AllOf(HasSubstr("is left out of model llama"), Not(HasSubstr("computed here"))));
    }
  }
  EXPECT_EQ(run.run("finish", "").exit_code, 0);
  expect_same_outputs(run.take_outputs(), whole_outputs(skipping));
}

TEST(Stages, ConversationsGiveTheBytesOfOneRun) {
  const StagedRun run;
  std::string lines;
  for (int i = 0; i < 9; ++i) {
    lines += fmt::format(
        R"({{"messages": [{{"role": "user", "content": "Hi {}"}}, {{"role": "assistant", "content": "Hello."}}, )"
        R"({{"role": "user", "content": "{} times {}?"}}], "label": "{}"}})"
        "\n",
        i % 4, i, i + 1, i % 3 == 0 ? "threes" : "others");
  }
  write_file_atomically(run.folder() / "prompts.jsonl", lines);
  const Outputs expected = run.whole();
  run.run_all("forward", 2);
  run.run_all("encode", 3);
  expect_same_outputs(run.finish(), expected);
}

TEST(Stages, OnlyTheResidualStreamGivesTheBytesOfOneRun) {
  const StagedRun run;
  const std::vector<std::string> arguments = {SAESCOPE_EXECUTABLE,
                                              "--config",
                                              run.folder() / "pipeline/config.toml",
                                              "--prompts-path",
                                              run.folder() / "prompts.jsonl",
                                              "--activations-output",
                                              run.files().out() / "a.safetensors",
                                              "--offline",
                                              "--progress=none",
                                              "--batch-tokens",
                                              "60"};
  const auto run_with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = run_process(all, run.folder(), run.environment());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result;
  };
  run_with({});
  const Outputs expected = run.take_outputs();
  ASSERT_EQ(expected.size(), 1u);
  const std::string store = run.store();
  for (const char* task : {"2/2", "1/2"}) run_with({"--store", store, "--stage", "forward", "--task", task});
  run_with({"--store", store, "--stage", "encode", "--task", "1/1"});
  const ProcessResult finished = run_with({"--store", store, "--stage", "finish"});
  EXPECT_EQ(count_in(finished.out, "distinct prefixes computed"), 0u);
  expect_same_outputs(run.take_outputs(), expected);
}

TEST(Stages, ATaskThatIsRunAgainComputesNothing) {
  const StagedRun run;
  run.run_all("forward", 2);
  run.run_all("encode", 2);
  const Outputs first = run.finish();
  const auto files = StagedRun::files_below(run.store());
  EXPECT_THAT(run.run("forward", "1/2").out, Not(HasSubstr("distinct prefixes computed")));
  const ProcessResult encode = run.run("encode", "2/2");
  EXPECT_THAT(encode.out, AllOf(HasSubstr("llama: this part is complete already"),
                                HasSubstr("qwen: this part is complete already")));
  EXPECT_EQ(StagedRun::files_below(run.store()), files);
  expect_same_outputs(run.finish(), first);
  expect_same_outputs(first, whole_outputs());
}

TEST(Stages, FinishWithOtherThresholdsNeedsNoOtherStage) {
  const StagedRun run;
  run.run_all("forward", 1);
  run.run_all("encode", 2);
  run.finish();
  const std::vector<std::string> other = {"--threshold", "0.4",        "--contrast-q",
                                          "0.2",         "--contrast", "short:lines"};
  expect_same_outputs(run.finish(other), whole_outputs(other));
}

/// Another threshold of what is active changes what parts hold: they are another job's.
TEST(Stages, PartsOfOtherSettingsAreNeverJoined) {
  const StagedRun run;
  run.run_all("forward", 1);
  run.run_all("encode", 1);
  for (const std::vector<std::string>& other : {std::vector<std::string>{"--activation-threshold", "1.25"},
                                                {"--trainer", "2"},
                                                {"--layers", "2"},
                                                {"--tokens", "asst"},
                                                {"--dtype", "fp32"},
                                                {"--models", "qwen"},
                                                {"--max-tokens", "22", "--skip-long"}}) {
    const ProcessResult result = run.run("finish", "", other);
    EXPECT_EQ(result.exit_code, 1) << other[0];
    EXPECT_THAT(result.err, HasSubstr("1 of 1 parts of the stage encode are missing")) << other[0];
  }
  EXPECT_TRUE(run.take_outputs().empty());
}

TEST(Stages, TheSameTaskTwiceAtOnceDoesNoHarm) {
  const StagedRun run;
  for (const char* stage : {"forward", "encode"}) {
    for (const char* task : {"1/2", "2/2"}) {
      std::deque<ChildProcess> twins;
      for (const char* batch : {"60", "60", "35"}) {  // the third takes other waves
        twins.emplace_back(run.command(stage, task, {"--batch-tokens", batch}), run.folder(),
                           run.environment());
      }
      for (ChildProcess& twin : twins) {
        const ProcessResult result = twin.wait();
        EXPECT_EQ(result.exit_code, 0) << result.err;
        EXPECT_EQ(result.err, "");
      }
    }
  }
  expect_same_outputs(run.finish(), whole_outputs());
}

TEST(Stages, FinishWaitsForTasksThatAreAtWorkAndSaysNothingElse) {
  const std::vector<std::string> small_waves = {"--batch-tokens", "1"};
  const StagedRun run(small_waves, 10);
  run.run_all("forward", 1);
  ChildProcess finish(run.command("finish", ""), run.folder(), run.environment({"SAESCOPE_STORE_WAIT=300"}));
  std::deque<ChildProcess> tasks;
  for (const char* task : {"1/2", "2/2", "1/2"}) {
    tasks.emplace_back(run.command("encode", task), run.folder(), run.environment());
  }
  for (ChildProcess& task : tasks) EXPECT_EQ(task.wait().err, "");
  const ProcessResult result = finish.wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, ::testing::StartsWith("waiting up to 300 s for"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  expect_same_outputs(run.take_outputs(), whole_outputs(small_waves, 10));
}

TEST(Stages, FinishNamesTheCommandOfAMissingPartWhichMakesIt) {
  const StagedRun run({"--content-key", "content"});
  run.run_all("forward", 1);
  EXPECT_EQ(run.run("encode", "1/3").exit_code, 0);
  EXPECT_EQ(run.run("encode", "3/3").exit_code, 0);
  const ProcessResult missing = run.run("finish", "");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err,
              AllOf(HasSubstr("1 of 3 parts of the stage encode are missing"), HasSubstr("2/3")));
  const std::size_t begin = missing.err.find("run_sae_analysis");
  ASSERT_NE(begin, std::string::npos) << missing.err;
  const std::string command = missing.err.substr(begin, missing.err.find('\n', begin) - begin);
  EXPECT_THAT(command, HasSubstr("--stage encode --task 2/3"));
  const std::string path = fs::path(SAESCOPE_EXECUTABLE).parent_path().string() + ":/usr/bin:/bin";
  const ProcessResult made =
      run_process({"sh", "-c", command}, run.folder(), run.environment({"PATH=" + path}));
  EXPECT_EQ(made.exit_code, 0) << made.err;
  expect_same_outputs(run.finish(), whole_outputs({"--content-key", "content"}));
}

TEST(Stages, EncodeWithoutForwardComputesWithOneWarningForEachModel) {
  const StagedRun run;
  const ProcessResult result = run.run("encode", "1/1");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(count_in(result.err, "prompts; they are computed here"), 60u) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
  expect_same_outputs(run.finish(), whole_outputs());
}

}  // namespace
}  // namespace saescope
