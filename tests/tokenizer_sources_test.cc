// Where a tokenizer's parts stand in folders as people have them: texts and ids are those of transformers'
// AutoTokenizer on the same folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "assets/folder_model.h"
#include "base/error.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::read_json;

std::unique_ptr<ModelFiles> open_case(const std::string& name, Progress& progress) {
  ModelEntry entry;
  entry.name = name;
  entry.model = (goldens() / "sources" / name).string();
  entry.model_is_path = true;
  return open_folder_model(entry, progress);
}

class TokenizerSources : public ::testing::TestWithParam<std::string> {};

TEST_P(TokenizerSources, GiveTheTextsAndIdsOfTransformers) {
  SilentProgress progress;
  const ChatFormatter formatter = open_case(GetParam(), progress)->formatter();
  const nlohmann::json expected = read_json(goldens() / "sources" / GetParam() / "expected.json");
  for (const nlohmann::json& golden : expected["prompts"]) {
    const FormattedPrompt prompt = formatter.format(golden["prompt"].get<std::string>());
    EXPECT_EQ(prompt.text, golden["text"].get<std::string>());
    EXPECT_EQ(prompt.ids, golden["ids"].get<std::vector<TokenId>>()) << prompt.text;
  }
}

std::vector<std::string> all_cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(goldens() / "sources")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Folders, TokenizerSources, ::testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param; });

TEST(TokenizerSourceWarnings, SayWhatOfAFileDoesNotCount) {
  SilentProgress progress;
  open_case("another_pipeline_for_qwen2", progress)->formatter();
  EXPECT_THAT(progress.warnings, Contains(HasSubstr("does not count")));
}

TEST(TokenizerSourceWarnings, NameAClassWhosePipelineCountsInsteadOfTheFiles) {
  for (const char* name : {"gpt2_class", "class_in_config_gpt2", "class_in_config_qwen2"}) {
    SilentProgress progress;
    open_case(name, progress)->formatter();
    EXPECT_THAT(progress.warnings, Contains(HasSubstr("tokenizer.json does not count"))) << name;
  }
}

TEST(TokenizerSourceWarnings, AreNotGivenOfAClassThatTransformersDoesNotTake) {
  for (const char* name : {"mistral_with_qwen2tokenizer", "llama_class_of_a_byte_level_file_with_bos",
                           "class_in_config_of_gemma2", "unknown_class_of_qwen3"}) {
    SilentProgress progress;
    open_case(name, progress)->formatter();
    EXPECT_TRUE(progress.warnings.empty()) << name << ": " << *progress.warnings.begin();
  }
}

TEST(TokenizerSourceWarnings, NameAClassThatIsNotImplemented) {
  const testing_support::TemporaryFolder folder;
  std::filesystem::copy(goldens() / "sources" / "template_file_over_config", folder.path() / "model");
  const std::string config = (folder.path() / "model/tokenizer_config.json").string();
  std::ofstream(config)
      << R"({"tokenizer_class": "CodeLlamaTokenizerFast", "bos_token": "<|begin_of_text|>"})";
  ModelEntry entry;
  entry.model = (folder.path() / "model").string();
  entry.model_is_path = true;
  SilentProgress progress;
  open_folder_model(entry, progress)->formatter();
  EXPECT_THAT(progress.warnings, Contains(HasSubstr("its class CodeLlamaTokenizer")));
}

TEST(TokenizerSourceWarnings, AreNotGivenWhereEverythingIsInItsPlace) {
  SilentProgress progress;
  for (const char* name : {"template_in_config", "bos_in_special_tokens_map", "vocabulary_files_qwen2"}) {
    open_case(name, progress)->formatter();
  }
  EXPECT_TRUE(progress.warnings.empty()) << *progress.warnings.begin();
}

TEST(TokenizerSourceWarnings, NameAMissingBeginningOfTheTextAndMarkersInPieces) {
  const testing_support::TemporaryFolder folder;
  const std::filesystem::path source = goldens() / "sources" / "template_file_over_config";
  for (const char* file : {"config.json", "tokenizer.json", "chat_template.jinja"}) {
    std::filesystem::copy(source / file, folder.path() / file);
  }
  const std::string jinja = (folder.path() / "chat_template.jinja").string();
  std::ofstream(jinja, std::ios::app) << "<|nothing_like_it|>";
  std::ofstream(folder.path() / "tokenizer_config.json") << "{}";
  ModelEntry entry;
  entry.model = folder.path().string();
  entry.model_is_path = true;
  SilentProgress progress;
  open_folder_model(entry, progress)->formatter();
  EXPECT_THAT(progress.warnings, Contains(HasSubstr("bos_token")));
  EXPECT_THAT(progress.warnings, Contains(HasSubstr("<|nothing_like_it|>")));
}

/// A model whose entry sets another template.
ChatFormatter with_template(const std::string& text) {
  static SilentProgress progress;
  ModelEntry entry;
  entry.name = "m";
  entry.model = (goldens() / "sources/template_in_config").string();
  entry.model_is_path = true;
  entry.chat_template = text;
  return open_folder_model(entry, progress)->formatter();
}

const std::string kTurns =
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content "
    "| trim }}"
    "<|eot_id|>{% endfor %}";
const std::string kHeader = R"({{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }})";

TEST(EntryTemplate, CountsInPlaceOfTheModelsOwn) {
  EXPECT_EQ(with_template("x{{ messages[0].content }}y").format("Hi").text, "xHiy");
}

/// However a template writes the header, the token types are those of the usual way.
TEST(EntryTemplate, FindsTheHeaderInAnElseBranchAndWhereItIsAlwaysWritten) {
  const std::vector<TokenType> types = {
      {"asst", "assistant"}, {"endheader", "<|end_header_id|>"}, {"newline", "\n\n"}};
  const ChatFormatter usual =
      with_template(kTurns + "{% if add_generation_prompt %}" + kHeader + "{% endif %}");
  for (const std::string& end :
       {kHeader, "{% if not add_generation_prompt %}<|end_of_text|>{% else %}" + kHeader + "{% endif %}"}) {
    const ChatFormatter formatter = with_template(kTurns + end);
    for (const char* prompt : {"Hi", " <|end_header_id|>\n\nassistant", "assistant\n\n  "}) {
      const FormattedPrompt expected = usual.format(prompt);
      const FormattedPrompt found = formatter.format(prompt);
      ASSERT_EQ(found.ids, expected.ids);
      for (const TokenType& type : types) {
        EXPECT_EQ(formatter.find_token(type, found), usual.find_token(type, expected)) << type.name << prompt;
      }
    }
  }
}

/// Filters that leave no character of ASCII, or only a part of the text, as it was.
TEST(EntryTemplate, FindsTheHeaderBehindATextThatTheTemplateTransforms) {
  const TokenType type = {"newline", "\n\n"};
  for (const char* filter : {"upper", "lower", "title", "capitalize", "trim", "reverse", "e", "first",
                             "list | join", "replace('a', 'b')", "trim | title | replace('-', '')"}) {
    const std::string turns = fmt::format(
        "<|start_header_id|>user<|end_header_id|>\n\n{{{{ messages[-1].content | {} }}}}", filter);
    const FormattedPrompt prompt = with_template(turns + kHeader).format("some words\n\nand more");
    EXPECT_EQ(prompt.generation, "<|start_header_id|>assistant<|end_header_id|>\n\n") << filter;
    EXPECT_EQ(with_template(turns + kHeader).find_token(type, prompt), prompt.ids.size() - 1) << filter;
  }
}

TEST(EntryTemplate, IsSaidToHideTheTextsEndWhereItDoesAndToEndWithItWhereItDoes) {
  const auto error_of = [](const std::string& text) {
    const ChatFormatter formatter = with_template(text);
    try {
      formatter.find_token({"asst", "assistant"}, formatter.format("Hi"));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of("{{ messages[0].content | length }} assistant"), HasSubstr("in a way that shows"));
  EXPECT_THAT(error_of("user: {{ messages[0].content | upper }}"), HasSubstr("writes nothing behind"));
}

TEST(Conversations, AreRenderedAsTransformersDoes) {
  SilentProgress progress;
  for (const char* name : {"template_in_config", "vocabulary_files_qwen2"}) {
    const ChatFormatter formatter = open_case(name, progress)->formatter();
    const nlohmann::json expected = read_json(goldens() / "sources" / name / "expected.json");
    ASSERT_FALSE(expected["conversations"].empty());
    for (const nlohmann::json& golden : expected["conversations"]) {
      Prompts prompts;
      prompts.begin_file("p.jsonl");
      prompts.add_conversation(golden["messages"].dump(), "", 1);
      const FormattedPrompt prompt = formatter.format(prompts[0]);
      EXPECT_EQ(prompt.text, golden["text"].get<std::string>());
      EXPECT_EQ(prompt.ids, golden["ids"].get<std::vector<TokenId>>());
    }
  }
}

}  // namespace
}  // namespace saescope
