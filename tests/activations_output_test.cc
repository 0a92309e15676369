// --activations-output: the residual stream as a file, against transformers and against what SAEs get.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::GoldenTensors;
using testing_support::ProcessResult;
using testing_support::read_json;
using testing_support::RelativeError;
using testing_support::TemporaryFolder;

const fs::path kModel = goldens() / "tiny/llama_untied_rope";

class ActivationsOutput : public ::testing::Test {
 protected:
  ActivationsOutput() {
    std::ofstream(folder / "c.toml") << fmt::format(
        "[models.llama]\nmodel = \"{}\"\nsae_dir = \"{}\"\n"
        "sae_path = \"resid_post_layer_{{layer}}/trainer_{{trainer}}\"\ntrainer = 1\nlayers = [1]\n"
        "tokens = {{ asst = \"assistant\", newline = \"\\n\\n\", third = -3 }}\n",
        kModel.string(), (goldens() / "pipeline/saes/llama").string());
    std::ofstream prompts(folder / "p.jsonl");
    for (const auto& prompt : golden["prompts"]) {
      prompts << nlohmann::json{{"content", prompt["content"]}}.dump() << "\n";
    }
  }

  ProcessResult run(std::vector<std::string> flags) const {
    const std::vector<std::string> common = {"--config", folder / "c.toml", "--prompts-path",
                                             folder / "p.jsonl", "--no-cache"};
    flags.insert(flags.begin(), common.begin(), common.end());
    return testing_support::run_program(flags, folder.path());
  }

  TemporaryFolder folder;
  const nlohmann::json golden = read_json(kModel / "prompts.json");
};

TEST_F(ActivationsOutput, HoldsTransformersResidualStreamAtEveryTokenType) {
  const ProcessResult result =
      run({"--activations-output", folder / "a.safetensors", "--layers", "1,3", "--dtype", "fp32"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const GoldenTensors found(folder / "a.safetensors");
  const GoldenTensors expected(kModel / "activations.safetensors");
  std::istringstream shown(run({"--show-tokens"}).out);
  RelativeError error;
  std::size_t prompt = 0;
  for (std::string line; std::getline(shown, line); ++prompt) {
    const auto taps = nlohmann::json::parse(line)["taps"];
    for (const int layer : {1, 3}) {
      for (const auto& [token, tap] : taps.items()) {
        const auto rows = found.rows(fmt::format("llama.layer_{}.{}", layer, token));
        ASSERT_EQ(rows.rows, golden["prompts"].size());
        const auto all = expected.rows(fmt::format("prompt_{}.layer_{}", prompt, layer));
        error.add({rows.row(prompt), 1, rows.cols, rows.cols},
                  {all.row(tap["index"].get<std::size_t>()), 1, all.cols, all.cols});
      }
    }
  }
  EXPECT_EQ(prompt, golden["prompts"].size());
  EXPECT_LT(error.value(), 1e-4);
}

TEST_F(ActivationsOutput, IsTheSameBesideAnAnalysisAndHoweverTheWorkIsCut) {
  ASSERT_EQ(run({"--activations-output", folder / "a.safetensors"}).exit_code, 0);
  const std::string alone = read_file(folder / "a.safetensors");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--batch-tokens", "1"},
        {"--analysis", "universal", "--universal-output", folder / "u.csv"},
        {"--analysis", "universal", "--universal-output", folder / "u.csv", "--threads", "1"}}) {
    std::vector<std::string> arguments = flags;
    arguments.insert(arguments.end(), {"--activations-output", folder / "b.safetensors"});
    const ProcessResult result = run(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_file(folder / "b.safetensors"), alone);
  }
}

TEST_F(ActivationsOutput, NamesThePromptsThatWereRun) {
  const ProcessResult result = run({"--activations-output", folder / "a.safetensors", "--max-tokens", "20",
                                    "--skip-long", "--tokens", "asst"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::vector<int64_t> expected;
  for (std::size_t i = 0; i < golden["prompts"].size(); ++i) {
    if (golden["prompts"][i]["ids"].size() <= 20) expected.push_back(static_cast<int64_t>(i));
  }
  ASSERT_LT(expected.size(), golden["prompts"].size());
  ASSERT_GT(expected.size(), 0u);
  const MappedFile file(folder / "a.safetensors");
  const auto tensors = parse_safetensors(file.bytes(), "a").tensors;
  EXPECT_EQ(tensors.size(), 2u);
  const TensorView& indices = tensors.at("llama.prompt_idx");
  const auto* const first = reinterpret_cast<const int64_t*>(indices.data);
  EXPECT_EQ(std::vector<int64_t>(first, first + indices.shape[0]), expected);
  EXPECT_THAT(tensors.at("llama.layer_1.asst").shape, ElementsAre(expected.size(), 32));
}

TEST_F(ActivationsOutput, NeedsNoSaeAndSaysWhatItDoesNotUse) {
  std::ofstream(folder / "c.toml") << fmt::format(
      "[models.llama]\nmodel = \"{}\"\nsae_dir = \"./none\"\n"
      "sae_path = \"none\"\ntrainer = 1\nlayers = [1]\n"
      "tokens = {{ asst = \"assistant\" }}\n",
      kModel.string());
  const ProcessResult result = run({"--activations-output", folder / "a.safetensors", "--threshold", "0.5"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("without --analysis nothing uses --threshold"));
}

}  // namespace
}  // namespace saescope
