// The executable as a process: help, version, exit codes, signals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::run_process;
using testing_support::run_program;
using testing_support::TemporaryFolder;

TEST(Program, HelpIsGroupedAndHoldsTheSeedsExamples) {
  const auto result = run_program({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("--analysis"), HasSubstr("--record-prompts"),
                                HasSubstr("--batch-tokens"), HasSubstr("results/universal_30.csv")));
  EXPECT_EQ(result.err, "");
}

TEST(Program, VersionIsOneLineOnStdout) {
  const auto result = run_program({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("run_sae_analysis"));
}

#if defined(__x86_64__)
/// qemu's user mode shows a program the processor that it is told to.
TEST(Program, AProcessorBelowTheBaselineGetsOneLineThatNamesWhatItLacks) {
  const std::string emulator = "/usr/bin/qemu-x86_64";
  if (!std::filesystem::exists(emulator)) GTEST_SKIP() << "needs " << emulator << " (Debian: qemu-user)";
  const auto old = run_process({emulator, "-cpu", "Nehalem", SAESCOPE_EXECUTABLE, "--version"});
  EXPECT_EQ(old.exit_code, 1);
  EXPECT_THAT(old.err, AllOf(HasSubstr("error: this processor lacks AVX2"), HasSubstr("since 2013")));
  EXPECT_EQ(std::count(old.err.begin(), old.err.end(), '\n'), 1) << old.err;
  const auto baseline = run_process({emulator, "-cpu", "Haswell", SAESCOPE_EXECUTABLE, "--version"});
  EXPECT_EQ(baseline.exit_code, 0) << baseline.err;
}
#endif

TEST(Program, AnUnknownInstructionSetInTheEnvironmentIsAnError) {
  const auto result = run_program({"--analysis", "universal", "--universal-output", "u.csv", "--config",
                                   (goldens() / "pipeline/config.toml").string(), "--prompts-path",
                                   (goldens() / "pipeline/prompts").string()},
                                  ".", {"SAESCOPE_MAX_CPU_ISA=sse9"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("SAESCOPE_MAX_CPU_ISA"), HasSubstr("sse9"), HasSubstr("one of")));
}

TEST(Program, PrintConfigCanBeReadBack) {
  const TemporaryFolder folder;
  const auto printed = run_program(
      {"--print-config", "--models", "llama,gemma-3-4b-it,gemma-2-2b-it,r1-distill-llama-8b,qwen3-8b"});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, AllOf(HasSubstr("[models.llama]"), HasSubstr("andyrdt/saes-qwen2.5-7b-instruct")));
  write_file_atomically(folder / "config.toml", printed.out);
  const auto again = run_program({"--print-config", "--config", folder / "config.toml"});
  EXPECT_EQ(again.out, printed.out) << again.err;
}

TEST(Program, BadUsageExitsWith2AndSaysWhatToDo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"--analysis", "universal"},
        {"--analysis", "both", "--universal-output", "u.csv"},
        {"--analysis", "universal", "--universal-output", "u.csv", "--threshold", "1.5"},
        {"--analysis", "universal", "--universal-output", "u.csv", "--no-such-flag"},
        {"--analysis", "universal", "--universal-output", "u.csv", "--prompts-path", "/nowhere/at/all"}}) {
    const auto result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("error: "));
    EXPECT_EQ(result.out, "");
  }
}

TEST(Program, AnOutputThatCannotBeWrittenIsFoundBeforeAnythingIsComputed) {
  const auto result = run_program({"--analysis", "universal", "--universal-output", "/dev/null/u.csv",
                                   "--config", (goldens() / "pipeline/config.toml").string(),
                                   "--prompts-path", (goldens() / "pipeline/prompts").string()});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("/dev/null"), ::testing::Not(HasSubstr("prompts: "))));
}

TEST(Program, SummaryGoesToStdoutProgressToStderrAndQuietSilencesIt) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"--analysis",         "universal",
                                        "--universal-output", folder / "u.csv",
                                        "--config",           (goldens() / "pipeline/config.toml").string(),
                                        "--prompts-path",     (goldens() / "pipeline/prompts").string(),
                                        "--no-cache"};
  const auto normal = run_program(arguments);
  ASSERT_EQ(normal.exit_code, 0) << normal.err;
  EXPECT_THAT(normal.out,
              AllOf(HasSubstr("llama_trainer1_layer1"), HasSubstr("wrote "), HasSubstr("time: ")));
  EXPECT_THAT(normal.err, HasSubstr("llama: prompts: 30"));
  arguments.push_back("--quiet");
  const auto quiet = run_program(arguments);
  EXPECT_EQ(quiet.err, "");
  EXPECT_EQ(quiet.out, "");
}

TEST(Program, AReaderThatHasSeenEnoughIsNoError) {
  const std::string command =
      std::string(SAESCOPE_EXECUTABLE) + " --print-config | head -c 1; echo ${PIPESTATUS[0]}";
  const auto result = testing_support::run_process({"bash", "-c", command});
  EXPECT_EQ(result.out, "[0\n");
  EXPECT_EQ(result.err, "");
}

TEST(Program, WordsOfOtherProgramsLeadToOurs) {
  EXPECT_THAT(run_program({"--device", "gpu"}).err, HasSubstr("did you mean cuda?"));
  EXPECT_THAT(run_program({"--batch-size", "8"}).err, HasSubstr("did you mean --batch-tokens?"));
}

TEST(Program, ADeviceThatIsNotThereIsOneErrorWithWhatToDo) {
  const auto run_on = [](const char* device, std::vector<std::string> environment) {
    const auto result =
        run_program({"--analysis", "universal", "--universal-output", "u.csv", "--device", device}, ".",
                    std::move(environment));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("--device cpu"));
    return result.err;
  };
  EXPECT_THAT(run_on("cuda", {"SAESCOPE_TORCH=/nowhere"}),
              HasSubstr("/nowhere: SAESCOPE_TORCH does not name"));
  EXPECT_THAT(run_on("cuda:1", {"SAESCOPE_TORCH=", "SAESCOPE_PYTHON=", "PATH=/nowhere"}),
              HasSubstr("no PyTorch was found"));
  EXPECT_THAT(run_program({"--help"}).out, HasSubstr("not yet on a GPU"));
}

/// SIGINT during a long run: exit code 130, no output, no temporary file left.
TEST(Program, AnInterruptedRunLeavesNothingBehind) {
  SAESCOPE_SKIP_WITHOUT_DEMO_MODEL();
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    lines +=
        nlohmann::json({{"content", "Tell me about the number " + std::to_string(i * 7919) + " in detail."}})
            .dump() +
        "\n";
  }
  write_file_atomically(folder / "many.jsonl", lines);
  std::filesystem::create_directory(folder / "out");
  const auto result = run_process({"timeout", "--signal=INT", "--preserve-status", "2", SAESCOPE_EXECUTABLE,
                                   "--analysis", "universal", "--universal-output", folder / "out/u.csv",
                                   "--config", (testing_support::source_dir() / "demo/demo.toml").string(),
                                   "--prompts-path", folder / "many.jsonl", "--no-cache", "--dtype", "fp32"});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("interrupted"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "out"));
}

}  // namespace
}  // namespace saescope
