// Markers of a chat template that a tokenizer cuts: warned of where they are likely meant as one token, and
// never with the tokenizers of real models.
#include "assets/template_markers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "assets/folder_model.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A byte-level tokenizer of single characters, with further texts in its vocabulary and as added tokens.
Tokenizer with_tokens(const std::vector<std::string>& vocabulary, const std::vector<std::string>& added) {
  nlohmann::json tokens = nlohmann::json::object();
  for (char c = '!'; c <= '~'; ++c) tokens[std::string(1, c)] = tokens.size();
  for (const std::string& token : vocabulary) tokens[token] = tokens.size();
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& token : added) {
    list.push_back({{"content", token},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false},
                    {"normalized", false},
                    {"special", true}});
  }
  const nlohmann::json file = {
      {"added_tokens", list},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
      {"model", {{"type", "BPE"}, {"vocab", tokens}, {"merges", nlohmann::json::array()}}}};
  return Tokenizer::from_tokenizer_json(file.dump(), "tokenizer.json");
}

std::vector<std::string> split(const std::string& prompt, const std::vector<std::string>& vocabulary = {},
                               const std::vector<std::string>& added = {}) {
  std::vector<std::string> texts;
  for (const SplitMarker& marker : split_markers(prompt, with_tokens(vocabulary, added))) {
    texts.push_back(marker.text);
  }
  return texts;
}

TEST(SplitMarkers, AreTextsThatNobodyWritesPlainly) {
  EXPECT_THAT(split("<start_of_turn>user\nHi<end_of_turn>\n"),
              ElementsAre("<end_of_turn>", "<start_of_turn>"));
  EXPECT_THAT(split("<|im_start|>user\nHi<|im_end|>"), ElementsAre("<|im_end|>", "<|im_start|>"));
  EXPECT_THAT(split("<|turn>user\nHi<turn|></s>"), ElementsAre("</s>", "<turn|>", "<|turn>"));
  EXPECT_THAT(split("<\uFF5CUser\uFF5C>Hi"), ElementsAre("<\uFF5CUser\uFF5C>"));
}

TEST(SplitMarkers, AreNotTextsThatModelsWereTrainedWithAsPlainOnes) {
  EXPECT_THAT(split("[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]"), IsEmpty());
  EXPECT_THAT(split("<|system|>\n<|user|>\nHi\n<|assistant|>\n<think>\n</think>"), IsEmpty());
  EXPECT_THAT(split("<human>: Hi [1] a < b_c > d [a_b] <> [] </> <"), IsEmpty());
}

TEST(SplitMarkers, AreThoseThatTheVocabularySpells) {
  EXPECT_THAT(split("[INST]Hi[/INST]", {"[INST]", "[/INST]"}), ElementsAre("[/INST]", "[INST]"));
  EXPECT_THAT(split("<think>", {"<think>"}), ElementsAre("<think>"));
}

TEST(SplitMarkers, AreThoseWhosePartnerIsAToken) {
  EXPECT_THAT(split("[INST]Hi[/INST]", {}, {"[INST]"}), ElementsAre("[/INST]"));
  EXPECT_THAT(split("<think></think>", {}, {"</think>"}), ElementsAre("<think>"));
  EXPECT_THAT(split("<|user|>Hi<|assistant|>", {}, {"<|user|>"}), ElementsAre("<|assistant|>"));
}

TEST(SplitMarkers, AreNotTokens) {
  EXPECT_THAT(
      split("[INST]<start_of_turn><|user|></s>", {}, {"[INST]", "<start_of_turn>", "<|user|>", "</s>"}),
      IsEmpty());
}

/// A real model's tokenizer, a tiny model of its type, and a template where the files have none.
struct RealModel {
  const char* tokenizer;
  const char* tiny;
  const char* chat_template;
};

class RealTokenizersMarkers : public ::testing::TestWithParam<RealModel> {};

TEST_P(RealTokenizersMarkers, AreAllTokensOrPlainText) {
  const fs::path files = testing_support::real_tokenizers() / GetParam().tokenizer;
  if (!fs::exists(files / "tokenizer.json")) {
    GTEST_SKIP() << "NOT TESTED: " << files << " is missing; run tools/fetch_tokenizers.sh";
  }
  const testing_support::TemporaryFolder folder;
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
    fs::create_symlink(files / file, folder.path() / file);
  }
  fs::copy(testing_support::goldens() / "tiny" / GetParam().tiny / "config.json",
           folder.path() / "config.json");
  ModelEntry entry;
  entry.model = folder.path().string();
  entry.model_is_path = true;
  entry.chat_template = GetParam().chat_template;
  SilentProgress progress;
  open_folder_model(entry, progress)->formatter();
  for (const std::string& warning : progress.warnings) EXPECT_THAT(warning, Not(HasSubstr("marker")));
}

constexpr const char* kLlama2Template =
    "{{ bos_token }}[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{{ messages[0].content }} [/INST]";

INSTANTIATE_TEST_SUITE_P(
    Models, RealTokenizersMarkers,
    ::testing::Values(RealModel{"llama2", "llama_tied", kLlama2Template},
                      RealModel{"llama3_1", "llama_tied", ""}, RealModel{"llama3_2", "llama_tied", ""},
                      RealModel{"qwen2_5", "qwen2_bias", ""}, RealModel{"qwen3", "qwen3", ""},
                      RealModel{"mistral_nemo", "mistral_window", ""}, RealModel{"gemini", "gemma2", ""},
                      RealModel{"gemma3", "gemma3_text", ""}),
    [](const auto& test) { return test.param.tokenizer; });

}  // namespace
}  // namespace saescope
