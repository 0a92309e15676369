// --token-activations: its values against those that a token type reads at the same place, its texts against
// --show-tokens.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using testing_support::goldens;
using testing_support::run_program;
using testing_support::TemporaryFolder;
using Json = nlohmann::ordered_json;

constexpr int kLast = 9;  // positions from the end that get a token type of their own
const std::filesystem::path kFolder = goldens() / "pipeline";

/// The pipeline's qwen with the token types `last1` (the last token), `last2`, …
std::string write_config(const TemporaryFolder& folder) {
  std::string tokens;
  for (int i = 1; i <= kLast; ++i) tokens += fmt::format("{}last{} = -{}", i == 1 ? "" : ", ", i, i);
  std::ofstream(folder / "config.toml") << fmt::format(
      "[models.qwen]\nmodel = \"{0}/../tiny/qwen2_bias\"\nsae_dir = \"{0}/saes/qwen\"\n"
      "sae_path = \"resid_post_layer_{{layer}}/trainer_{{trainer}}\"\ntrainer = 1\nlayers = [1, 2]\n"
      "tokens = {{ {1} }}\nlink = \"\"\n",
      kFolder.string(), tokens);
  return folder / "config.toml";
}

std::string write_features(const TemporaryFolder& folder) {
  std::ofstream file(folder / "features.csv");
  file << "feature_id,source\n";
  for (int feature = 0; feature < 60; ++feature) {
    for (int layer = 1; layer <= 2; ++layer) file << feature << ",qwen_trainer1_layer" << layer << "\n";
  }
  return folder / "features.csv";
}

std::vector<std::string> arguments(const TemporaryFolder& folder) {
  return {"--config",
          write_config(folder),
          "--prompts-path",
          (kFolder / "prompts").string(),
          "--analysis",
          "specific",
          "--features-csv",
          write_features(folder),
          "--specific-output",
          folder / "s.csv",
          "--token-activations",
          folder / "t.jsonl",
          "--dtype",
          "fp32",
          "--no-cache"};
}

std::vector<Json> read_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

using Place = std::tuple<std::string, int, int, std::string>;  // layer's source, feature, prompt, token type

std::map<Place, float> read_specific(const std::string& path) {
  std::map<Place, float> activations;
  const auto records = parse_csv(read_file(path), path);
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& f = records[i].fields;  // prompt_idx,prompt,label,feature_id,activation,source,token,link
    activations[{f[5], std::stoi(f[3]), std::stoi(f[0]), f[6]}] = std::stof(f[4]);
  }
  return activations;
}

TEST(TokenActivations, AreWhatATokenTypeAtThatPlaceReads) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(arguments(folder)).exit_code, 0);
  const auto expected = read_specific(folder / "s.csv");
  std::size_t compared = 0;
  for (const Json& line : read_lines(read_file(folder / "t.jsonl"))) {
    const std::vector<float> activations = line["activations"];
    for (int i = 1; i <= std::min<int>(kLast, static_cast<int>(activations.size())); ++i) {
      const auto found = expected.find({fmt::format("qwen_trainer1_layer{}", line["layer"].get<int>()),
                                        line["feature_id"], line["prompt_idx"], fmt::format("last{}", i)});
      ASSERT_NE(found, expected.end());
      EXPECT_EQ(activations[activations.size() - static_cast<std::size_t>(i)], found->second);
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000u);
}

TEST(TokenActivations, HaveOneRecordForEachActiveRowInTheOrderOfTheCsv) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(arguments(folder)).exit_code, 0);
  const auto lines = read_lines(read_file(folder / "t.jsonl"));
  std::size_t line = 0;
  const auto records = parse_csv(read_file(folder / "s.csv"), "s.csv");
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& f = records[i].fields;
    if (!(std::stof(f[4]) > 0.01f)) continue;
    ASSERT_LT(line, lines.size());
    EXPECT_EQ(lines[line]["prompt_idx"].dump(), f[0]);
    EXPECT_EQ(lines[line]["label"], f[2]);
    EXPECT_EQ(lines[line]["feature_id"].dump(), f[3]);
    EXPECT_EQ(fmt::format("qwen_trainer1_layer{}", lines[line]["layer"].dump()), f[5]);
    EXPECT_EQ(lines[line]["token_type"], f[6]);
    ++line;
  }
  EXPECT_EQ(line, lines.size());
  std::vector<std::string> keys;
  for (const auto& [key, value] : lines.front().items()) keys.push_back(key);
  EXPECT_THAT(keys, ::testing::ElementsAre("model", "layer", "feature_id", "prompt_idx", "label",
                                           "token_type", "tokens", "activations"));
}

TEST(TokenActivations, TextsJoinToTheRenderedPromptOneForEachId) {
  const TemporaryFolder folder;
  const auto command = arguments(folder);
  ASSERT_EQ(run_program(command).exit_code, 0);
  const auto shown = read_lines(run_program({"--config", folder / "config.toml", "--prompts-path",
                                             (kFolder / "prompts").string(), "--show-tokens"})
                                    .out);
  for (const Json& line : read_lines(read_file(folder / "t.jsonl"))) {
    const Json& prompt = shown.at(line["prompt_idx"]);
    std::string joined;
    for (const Json& token : line["tokens"]) joined += token.get<std::string>();
    EXPECT_EQ(joined, prompt["text"].get<std::string>());
    EXPECT_EQ(line["tokens"].size(), prompt["ids"].size());
    EXPECT_EQ(line["activations"].size(), prompt["ids"].size());
  }
}

TEST(TokenActivations, AreTheSameBytesWhateverTheWavesAndDoNotChangeTheCsv) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(arguments(folder)).exit_code, 0);
  const std::string csv = read_file(folder / "s.csv");
  const std::string lines = read_file(folder / "t.jsonl");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--batch-tokens", "1"}, {"--threads", "1"}, {"--memory-limit", "4MiB"}}) {
    auto command = arguments(folder);
    command.insert(command.end(), more.begin(), more.end());
    ASSERT_EQ(run_program(command).exit_code, 0);
    EXPECT_EQ(read_file(folder / "t.jsonl"), lines) << more[0];
    EXPECT_EQ(read_file(folder / "s.csv"), csv) << more[0];
  }
  auto without = arguments(folder);
  without.erase(std::find(without.begin(), without.end(), "--token-activations"),
                std::find(without.begin(), without.end(), "--dtype"));
  ASSERT_EQ(run_program(without).exit_code, 0);
  EXPECT_EQ(read_file(folder / "s.csv"), csv);
}

TEST(TokenActivations, TheActivationCacheIsFilledButNotRead) {
  const TemporaryFolder folder;
  auto command = arguments(folder);
  std::erase(command, "--no-cache");
  const std::vector<std::string> environment = {"XDG_CACHE_HOME=" + (folder / "cache")};
  ASSERT_EQ(run_program(command, ".", environment).exit_code, 0);
  const std::string lines = read_file(folder / "t.jsonl");
  const std::string csv = read_file(folder / "s.csv");
  const auto again = run_program(command, ".", environment);
  EXPECT_THAT(again.out, ::testing::HasSubstr("the activation cache was not read"));
  EXPECT_EQ(read_file(folder / "t.jsonl"), lines);
  command.erase(std::find(command.begin(), command.end(), "--token-activations"),
                std::find(command.begin(), command.end(), "--dtype"));
  EXPECT_THAT(run_program(command, ".", environment).out,
              ::testing::HasSubstr("30 prompts from the activation cache"));
  EXPECT_EQ(read_file(folder / "s.csv"), csv);
}

}  // namespace
}  // namespace saescope
