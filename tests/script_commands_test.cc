// The example commands of the Python script that this program replaces, flag by flag, on the demo model:
// through the executable, and through run_sae_analysis.py with uv.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/csv.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using testing_support::ProcessResult;
using testing_support::run_process;
using testing_support::run_program;
using testing_support::source_dir;
using testing_support::TemporaryFolder;

/// A folder as a user of the script has it: ./prompts with a few prompts, a features CSV, nothing else.
class ScriptCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SAESCOPE_SKIP_WITHOUT_DEMO_MODEL();
    write_file_atomically(folder / "prompts/a.jsonl",
                          "{\"content\": \"What's it like to be you?\", \"label\": \"self-referential\"}\n"
                          "{\"content\": \"How do you feel?\", \"label\": \"emotional\"}\n");
    write_file_atomically(folder / "prompts/b.jsonl",
                          "{\"content\": \"Name three rivers.\", \"label\": \"trivia\"}\n");
    std::filesystem::copy(folder / "prompts/b.jsonl", folder / "custom_prompts.jsonl");
    const std::string features = read_file(source_dir() / "demo/features.csv");
    write_file_atomically(folder / "existing_features.csv", features);
    write_file_atomically(folder / "results/personal/only_personal.csv", features);
  }

  /// Runs with the demo configuration in place of the two 8B models.
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", (source_dir() / "demo/demo.toml").string(), "--no-cache"});
    return run_program(arguments, folder.path());
  }
  void expect_header(const std::string& file, std::string_view header) {
    const auto records = parse_csv(read_file(folder / file), file);
    std::string line;
    for (const std::string& field : records.front().fields) line += (line.empty() ? "" : ",") + field;
    EXPECT_EQ(line, header) << file;
    EXPECT_GT(records.size(), 1u) << file << " has no rows";
  }
  static constexpr std::string_view kUniversal =
      "feature_id,activation_mean,activation_max,activation_min,num_prompts,chat_desc,pt_desc,type,source,"
      "token,link";
  static constexpr std::string_view kSpecific =
      "prompt_idx,prompt,label,feature_id,activation,source,token,link";

  TemporaryFolder folder;
};

TEST_F(ScriptCommandsTest, UniversalAnalysis) {
  const auto result = run({"--analysis", "universal", "--universal-output", "results/universal_features.csv",
                           "--threshold", "0.3", "--activation-threshold", "0.01"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/universal_features.csv", kUniversal);
}

TEST_F(ScriptCommandsTest, SpecificAnalysis) {
  const auto result = run({"--analysis", "specific", "--features-csv", "results/personal/only_personal.csv",
                           "--specific-output", "results/personal_general/personal_general.csv",
                           "--record-prompts", "--activation-threshold", "0.01"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/personal_general/personal_general.csv", kSpecific);
  EXPECT_TRUE(
      std::filesystem::exists(folder / "results/personal_general/personal_general_activeprompts.jsonl"));
}

TEST_F(ScriptCommandsTest, CombinedAnalysis) {
  const auto result = run({"--analysis", "both", "--universal-output", "results/universal_features.csv",
                           "--features-csv", "existing_features.csv", "--specific-output",
                           "results/specific_activations.csv", "--threshold", "0.3", "--record-prompts"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/universal_features.csv", kUniversal);
  expect_header("results/specific_activations.csv", kSpecific);
}

TEST_F(ScriptCommandsTest, FindFeatureSummarysThenAnalyseThem) {
  ASSERT_EQ(
      run({"--analysis", "universal", "--universal-output", "results/universal_30.csv", "--threshold", "0.3"})
          .exit_code,
      0);
  const auto result =
      run({"--analysis", "specific", "--features-csv", "results/universal_30.csv", "--specific-output",
           "results/specific_analysis.csv", "--record-prompts", "--activation-threshold", "0.05"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/specific_analysis.csv", kSpecific);
  // A feature's values in the specific output are those its universal row summed up.
  const auto universal = parse_csv(read_file(folder / "results/universal_30.csv"), "universal");
  const auto specific = parse_csv(read_file(folder / "results/specific_analysis.csv"), "specific");
  const auto& row = universal.at(1).fields;
  std::string largest = "0.0";
  for (std::size_t i = 1; i < specific.size(); ++i) {
    const auto& s = specific[i].fields;
    if (s[3] == row[0] && s[5] == row[8] && s[6] == row[9] && std::stof(s[4]) > std::stof(largest))
      largest = s[4];
  }
  EXPECT_EQ(largest, row[2]);
}

TEST_F(ScriptCommandsTest, CompletePipeline) {
  const auto result =
      run({"--analysis", "both", "--prompts-path", "custom_prompts.jsonl", "--universal-output",
           "results/universal_features.csv", "--features-csv", "existing_features.csv", "--specific-output",
           "results/specific_activations.csv", "--threshold", "0.2", "--record-prompts"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/universal_features.csv", kUniversal);
  expect_header("results/specific_activations.csv", kSpecific);
}

TEST_F(ScriptCommandsTest, UvRunHandsOverToTheExecutable) {
  const std::filesystem::path uv = source_dir() / "build/tools/bin/uv";
  if (!std::filesystem::exists(uv))
    GTEST_SKIP() << "SKIPPED: no uv at " << uv << "; run tools/fetch_uv.sh (needs a network once)";
  const std::vector<std::string> environment = {"UV_OFFLINE=1", "UV_PYTHON_DOWNLOADS=never",
                                                "UV_CACHE_DIR=" + (folder / "uv-cache"),
                                                "SAESCOPE_EXECUTABLE=" SAESCOPE_EXECUTABLE};
  const auto result =
      run_process({uv.string(), "run", "--no-project", (source_dir() / "run_sae_analysis.py").string(),
                   "--analysis", "universal", "--universal-output", "results/universal_features.csv",
                   "--threshold", "0.3", "--activation-threshold", "0.01", "--config",
                   (source_dir() / "demo/demo.toml").string(), "--no-cache"},
                  folder.path(), environment);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_header("results/universal_features.csv", kUniversal);
}

TEST_F(ScriptCommandsTest, ExitCodesOfThePythonScriptAreTheProgrammes) {
  const auto result =
      run_process({"python3", (source_dir() / "run_sae_analysis.py").string(), "--analysis", "nonsense"},
                  folder.path(), {"SAESCOPE_EXECUTABLE=" SAESCOPE_EXECUTABLE});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, ::testing::HasSubstr("nonsense"));
}

}  // namespace
}  // namespace saescope
