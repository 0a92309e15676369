#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/version.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "run_sae_analysis");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

ErrorDetail error(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const InputError& failure) {
    EXPECT_EQ(failure.exit_code(), 2);
    return failure.detail();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

/// A complete universal command line with `more` behind it.
std::vector<const char*> universal(std::vector<const char*> more = {}) {
  more.insert(more.begin(), {"--analysis", "universal", "--universal-output", "u.csv"});
  return more;
}
std::vector<const char*> specific(std::vector<const char*> more = {}) {
  more.insert(more.begin(),
              {"--analysis", "specific", "--features-csv", "f.csv", "--specific-output", "s.csv"});
  return more;
}

TEST(Options, ReadsTheSeedsUniversalCommand) {
  const CommandLine line =
      parse({"--analysis", "universal", "--universal-output", "results/universal_features.csv", "--threshold",
             "0.25", "--activation-threshold", "0.02"});
  ASSERT_TRUE(line.options);
  EXPECT_EQ(line.options->analysis, Analysis::kUniversal);
  EXPECT_EQ(line.options->universal_output, "results/universal_features.csv");
  EXPECT_EQ(line.options->threshold, 0.25);
  EXPECT_EQ(line.options->activation_threshold, 0.02f);
  EXPECT_THAT(line.warnings, IsEmpty());
}

TEST(Options, ReadsTheSeedsSpecificCommand) {
  const CommandLine line =
      parse({"--analysis", "specific", "--features-csv", "results/personal/only_personal.csv",
             "--specific-output", "results/personal_general/personal_general.csv", "--record-prompts",
             "--activation-threshold", "0.01"});
  EXPECT_EQ(line.options->analysis, Analysis::kSpecific);
  EXPECT_EQ(line.options->features_csv, "results/personal/only_personal.csv");
  EXPECT_EQ(line.options->specific_output, "results/personal_general/personal_general.csv");
  EXPECT_TRUE(line.options->record_prompts);
  EXPECT_THAT(line.warnings, IsEmpty());
}

TEST(Options, ReadsTheSeedsCombinedCommand) {
  const CommandLine line =
      parse({"--analysis", "both", "--prompts-path", "custom_prompts.jsonl", "--universal-output",
             "results/universal_features.csv", "--features-csv", "existing_features.csv", "--specific-output",
             "results/specific_activations.csv", "--threshold", "0.2", "--record-prompts"});
  EXPECT_TRUE(line.options->universal());
  EXPECT_TRUE(line.options->specific());
  EXPECT_EQ(line.options->prompts_path, "custom_prompts.jsonl");
  EXPECT_THAT(line.warnings, IsEmpty());
}

TEST(Options, DefaultsAreTheSeeds) {
  const Options options = *parse(universal()).options;
  EXPECT_EQ(options.threshold, 0.3);
  EXPECT_EQ(options.activation_threshold, 0.01f);
  EXPECT_EQ(options.prompts_path, "./prompts");
  EXPECT_FALSE(options.record_prompts);
  EXPECT_EQ(options.compute.dtype, Precision::kBf16);
  EXPECT_EQ(options.compute.device, DeviceChoice());
  EXPECT_TRUE(options.compute.cache);
  EXPECT_EQ(options.progress, ProgressMode::kAuto);
}

TEST(Options, ReadsEveryOtherFlag) {
  const Options options =
      *parse(universal(
                 {"--config",       "c.toml",        "--models",      "llama,qwen", "--layers",       "11,15",
                  "--tokens",       "asst, newline", "--trainer",     "32x",        "--dtype",        "fp32",
                  "--device",       "cuda:2",        "--threads",     "2",          "--memory-limit", "8GiB",
                  "--batch-tokens", "512",           "--cache-limit", "64GiB",      "--max-tokens",   "4096",
                  "--skip-long",    "--offline",     "--dry-run",     "--no-cache", "--progress",     "plain",
                  "--quiet"}))
           .options;
  EXPECT_EQ(options.config, "c.toml");
  EXPECT_THAT(options.models, ElementsAre("llama", "qwen"));
  EXPECT_THAT(options.layers, ElementsAre(11, 15));
  EXPECT_THAT(options.tokens, ElementsAre("asst", "newline"));
  EXPECT_EQ(options.trainer, "32x");
  EXPECT_EQ(options.compute.dtype, Precision::kFp32);
  EXPECT_EQ(options.compute.device, (DeviceChoice{DeviceKind::kCuda, 2}));
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.compute.memory_limit, 8ull << 30);
  EXPECT_EQ(options.compute.batch_tokens, 512u);
  EXPECT_EQ(options.compute.cache_limit, 64ull << 30);
  EXPECT_EQ(options.limits.max_tokens, 4096u);
  EXPECT_TRUE(options.limits.skip_long && options.offline && options.dry_run && options.quiet);
  EXPECT_FALSE(options.compute.cache);
  EXPECT_EQ(options.progress, ProgressMode::kPlain);
}

TEST(Options, AFlagMayHoldItsValueBehindAnEqualsSign) {
  EXPECT_EQ(parse({"--analysis=universal", "--universal-output=u.csv", "--threshold=0.5"}).options->threshold,
            0.5);
}

TEST(Options, TheLastOfEqualFlagsCountsAndListsAddUp) {
  const Options options = *parse(universal({"--threshold", "0.1", "--threshold", "0.2", "--models", "a",
                                            "--models", "b,a", "--layers", "3,3", "--quiet", "--quiet"}))
                               .options;
  EXPECT_EQ(options.threshold, 0.2);
  EXPECT_THAT(options.models, ElementsAre("a", "b"));
  EXPECT_THAT(options.layers, ElementsAre(3));
}

TEST(Options, NegativeActivationThresholdsAreValuesNotFlags) {
  EXPECT_EQ(parse(universal({"--activation-threshold", "-0.5"})).options->activation_threshold, -0.5f);
}

TEST(Options, HelpIsGroupedWithTheSeedsExamplesAndNeedsNothingElse) {
  for (const char* flag : {"--help", "-h"}) {
    const CommandLine line = parse({flag, "--threshold", "7"});
    EXPECT_FALSE(line.options);
    for (const char* part :
         {"Analysis:", "Computation:", "--analysis universal|specific|both", "--memory-limit SIZE",
          "--features-csv results/universal_30.csv", "custom_prompts.jsonl", "--version"}) {
      EXPECT_THAT(line.text, HasSubstr(part));
    }
  }
}

TEST(Options, VersionIsTheProjects) {
  EXPECT_EQ(parse({"--version"}).text, "run_sae_analysis " + std::string(kVersion) + "\n");
  EXPECT_THAT(read_file(std::string(SAESCOPE_SOURCE_DIR) + "/CMakeLists.txt"),
              HasSubstr("project(saescope VERSION " + std::string(kVersion) + " "));
}

TEST(Options, AnUnknownFlagIsRefusedWithTheClosestOne) {
  const ErrorDetail detail = error(universal({"--thresold", "0.3"}));
  EXPECT_EQ(detail.what, "unknown flag");
  EXPECT_EQ(detail.found, "--thresold");
  EXPECT_EQ(detail.hint, "did you mean --threshold?");
  EXPECT_EQ(error(universal({"--active=0.3"})).found, "--active");
  EXPECT_THAT(error(universal({"--xyzzy"})).hint, HasSubstr("--help"));
  EXPECT_EQ(error(universal({"stray"})).what, "an argument that belongs to no flag");
}

TEST(Options, AMissingValueIsNotTakenFromTheNextFlag) {
  const ErrorDetail detail = error({"--analysis", "universal", "--universal-output", "--threshold", "0.3"});
  EXPECT_EQ(detail.where, "--universal-output");
  EXPECT_EQ(detail.what, "the flag's value is missing");
  EXPECT_EQ(error(universal({"--config", ""})).where, "--config");
  EXPECT_THAT(error(universal({"--threshold"})).what, HasSubstr("--threshold"));
}

TEST(Options, AFlagWithoutAValueRefusesOne) {
  // Taken as given, "--no-cache=false" would do the opposite of what it says.
  for (const char* text : {"--no-cache=false", "--no-cache=maybe", "--no-cache=2"}) {
    EXPECT_THAT(error(universal({text})).where + error(universal({text})).what, HasSubstr("--no-cache"))
        << text;
  }
}

TEST(Options, ValuesOutOfRangeNameTheirFlag) {
  EXPECT_EQ(error(universal({"--threshold", "30"})).hint, "0.3 stands for 30 % of the prompts");
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"--threshold", "-0.1"},     {"--threshold", "1.01"},
      {"--threshold", "nan"},      {"--activation-threshold", "inf"},
      {"--threads", "0"},          {"--memory-limit", "big"},
      {"--batch-tokens", "0"},     {"--max-tokens", "-5"},
      {"--layers", "11,x"},        {"--layers", "-1"},
      {"--trainer", "../secrets"}, {"--dtype", "fp16"},
      {"--device", "gpu"},         {"--device", "cuda:x"},
      {"--progress", "fancy"},     {"--models", "a,,b"},
      {"--analysis", "all"}};
  for (const auto& [flag, value] : bad) EXPECT_EQ(error(universal({flag, value})).where, flag) << value;
}

TEST(Options, RequiredCombinationsNameAllThatIsMissing) {
  EXPECT_EQ(error({}).what, "--analysis is missing");
  EXPECT_EQ(error({"--analysis", "universal"}).what, "--analysis universal needs --universal-output");
  EXPECT_EQ(error({"--analysis", "specific"}).what,
            "--analysis specific needs --features-csv and --specific-output");
  EXPECT_EQ(error({"--analysis", "both"}).what,
            "--analysis both needs --universal-output, --features-csv and --specific-output");
}

TEST(Options, RunsThatOnlyShowSomethingNeedNoOutputs) {
  EXPECT_TRUE(parse({"--print-config"}).options->print_config);
  EXPECT_TRUE(parse({"--show-tokens"}).options->show_tokens);
  EXPECT_TRUE(parse({"--dry-run", "--analysis", "universal"}).options->dry_run);
  EXPECT_EQ(error({"--dry-run", "--analysis", "both"}).what, "--analysis both needs --features-csv");
  EXPECT_EQ(error({"--dry-run"}).what, "--analysis is missing");
}

TEST(Options, TheContrastsFlagsWithoutItsOutputAreReported) {
  EXPECT_THAT(parse(universal({"--contrast", "a:b", "--contrast-q", "0.1"})).warnings,
              ElementsAre("without --contrast-output and --report nothing uses --contrast and --contrast-q"));
  const CommandLine line = parse(universal({"--contrast", "a:b", "--contrast-output", "c.csv"}));
  EXPECT_THAT(line.warnings, IsEmpty());
  EXPECT_THAT(line.options->contrast_pairs, ElementsAre("a:b"));
  EXPECT_THAT(parse(specific({"--contrast-output", "c.csv", "--activation-threshold", "1"})).warnings,
              IsEmpty());
}

TEST(Options, TheContrastsRateIsAFraction) {
  EXPECT_EQ(parse(universal({"--contrast-output", "c.csv", "--contrast-q", "1"})).options->contrast_q, 1.0);
  EXPECT_EQ(error(universal({"--contrast-q", "1.5"})).where, "--contrast-q");
  EXPECT_EQ(error(universal({"--contrast-q", "nan"})).where, "--contrast-q");
}

TEST(Options, OutputsMayNotReplaceEachOtherOrTheFeatures) {
  EXPECT_THAT(error(universal({"--contrast-output", "./u.csv"})).what, HasSubstr("--contrast-output"));
  EXPECT_EQ(error({"--analysis", "both", "--universal-output", "a.csv", "--specific-output", "./x/../a.csv",
                   "--features-csv", "f.csv"})
                .what,
            "--universal-output and --specific-output name the same file");
  EXPECT_EQ(error({"--analysis", "specific", "--specific-output", "f.csv", "--features-csv", "f.csv"}).what,
            "--specific-output and --features-csv name the same file");
}

TEST(Options, FlagsWithoutEffectAreReported) {
  EXPECT_THAT(parse(universal({"--features-csv", "f.csv", "--record-prompts"})).warnings,
              ElementsAre("--analysis universal does not use --features-csv and --record-prompts"));
  EXPECT_THAT(
      parse(specific({"--threshold", "0.5", "--models", "llama"})).warnings,
      ElementsAre("--analysis specific does not use --threshold and --models (the features CSV's column "
                  "source decides what is analysed)"));
  EXPECT_THAT(
      parse(specific({"--models", "llama", "--sae", "./s", "--layers", "3", "--trainer", "1"})).warnings,
      IsEmpty());
}

TEST(Options, TheActivationThresholdCountsInASpecificRunOnlyForRecording) {
  EXPECT_THAT(parse(specific({"--activation-threshold", "1", "--record-prompts"})).warnings, IsEmpty());
  EXPECT_THAT(parse(specific({"--activation-threshold", "1"})).warnings,
              ElementsAre(HasSubstr("does not use --activation-threshold")));
}

}  // namespace
}  // namespace saescope
