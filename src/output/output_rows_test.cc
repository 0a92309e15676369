#include "output/output_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace saescope {
namespace {

using ::testing::HasSubstr;

RowOrigin llama() {
  return {{"llama", "1", 15},
          "asst",
          "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}"};
}

TEST(RowOrigin, LinkFillsInLayerAndFeature) {
  EXPECT_EQ(llama().link(1234), "https://www.neuronpedia.org/llama3.1-8b-it/15-resid-post-aa/1234");
  EXPECT_EQ((RowOrigin{{"m", "1", 3}, "asst", ""}).link(1), "");
  EXPECT_EQ((RowOrigin{{"m", "1", 3}, "asst", "{layer}/{layer}"}).link(1), "3/3");
}

TEST(UniversalRow, HasTheHeadersColumnsWithThreeEmptyOnes) {
  const std::string row = universal_row(llama(), {1234, 0.85f, 1.2f, 0.02f, 10}, {});
  EXPECT_EQ(row,
            "1234,0.85,1.2,0.02,10,,,,llama_trainer1_layer15,asst,"
            "https://www.neuronpedia.org/llama3.1-8b-it/15-resid-post-aa/1234\n");
  EXPECT_EQ(
      universal_header(),
      "feature_id,activation_mean,activation_max,activation_min,num_prompts,chat_desc,pt_desc,type,source,"
      "token,link\n");
}

TEST(UniversalRow, HasTheNotesQuotedWhereNeeded) {
  const std::string row = universal_row(llama(), {1, 0.5f, 0.5f, 0.5f, 1}, {"a, \"b\"", "pt", "t"});
  EXPECT_THAT(row, HasSubstr(",1,\"a, \"\"b\"\"\",pt,t,llama_trainer1_layer15,"));
}

TEST(TokenActivationsLine, IsOneJsonObjectWithTheTextsEscaped) {
  const std::vector<std::string_view> tokens = {"<s>", "", "\n\"é"};
  const std::vector<float> activations = {0.0f, 1.5f, 1e-05f};
  EXPECT_EQ(token_activations_line({{"m", "1", 3}, "asst", ""}, 7, "l", 42, tokens, activations),
            "{\"model\": \"m\", \"layer\": 3, \"feature_id\": 42, \"prompt_idx\": 7, \"label\": \"l\", "
            "\"token_type\": \"asst\", \"tokens\": [\"<s>\", \"\", \"\\n\\\"é\"], "
            "\"activations\": [0.0, 1.5, 1e-05]}\n");
}

TEST(ContrastRow, HasTheHeadersColumns) {
  ContrastRow row;
  row.feature_id = 9;
  row.pair = {1, 0};
  row.rate_label = 0.5;
  row.odds_ratio = std::numeric_limits<double>::infinity();
  row.p_value = 1e-300;
  row.q_value = 0.25;
  const RowOrigin origin = {{"m", "1", 3}, "asst", ""};
  EXPECT_EQ(contrast_row(origin, row, {"a", "b,c"}),
            "9,\"b,c\",a,0.5,0.0,0.0,0.0,0.0,inf,1e-300,0.25,m_trainer1_layer3,asst,\n");
  row.pair.against.reset();
  EXPECT_THAT(contrast_row(origin, row, {"a", "b"}), HasSubstr("9,b,rest,"));
  EXPECT_EQ(
      contrast_header(),
      "feature_id,label,against,rate_label,rate_against,mean_label,mean_against,rate_difference,odds_ratio,"
      "p_value,q_value,source,token,link\n");
}

TEST(SpecificRow, QuotesNothingWithoutNeed) {
  EXPECT_EQ(specific_header(), "prompt_idx,prompt,label,feature_id,activation,source,token,link\n");
  EXPECT_EQ(specific_row({{"llama", "1", 15}, "asst", ""}, 0,
                         {"What's it like to be you?", "self-referential", "p:1"}, 1234, 0.85f),
            "0,What's it like to be you?,self-referential,1234,0.85,llama_trainer1_layer15,asst,\n");
}

TEST(SpecificRow, QuotesPromptLabelAndLinkWhereNeeded) {
  EXPECT_EQ(specific_row({{"m", "1", 0}, "asst", "x,{feature_id}"}, 3, {"a \"b\"\nc", "d,e", ""}, 7, 0.0f),
            "3,\"a \"\"b\"\"\nc\",\"d,e\",7,0.0,m_trainer1_layer0,asst,\"x,7\"\n");
}

TEST(ActivePromptLine, IsTheSeedsExample) {
  EXPECT_EQ(active_prompt_line(llama(), {"What's it like to be you?", "self-referential", ""}, 1234, 0.85f),
            R"({"model": "llama", "layer": 15, "feature_id": 1234, "prompt": "What's it like to be you?", )"
            R"("label": "self-referential", "activation": 0.85, "token_type": "asst"})"
            "\n");
}

TEST(ActivePromptLine, WritesOneLineWithNonAsciiTextAsItIs) {
  EXPECT_EQ(active_prompt_line({{"m", "32x", 0}, "new", ""}, {"caf\xC3\xA9\n\"", "", ""}, 7, 1e-5f),
            "{\"model\": \"m\", \"layer\": 0, \"feature_id\": 7, \"prompt\": \"caf\xC3\xA9\\n\\\"\", "
            "\"label\": \"\", \"activation\": 1e-05, \"token_type\": \"new\"}\n");
}

TEST(ActivePromptsPath, LiesBesideTheCsvUnderItsBasename) {
  EXPECT_EQ(active_prompts_path("results/a/personal_general.csv"),
            "results/a/personal_general_activeprompts.jsonl");
  EXPECT_EQ(active_prompts_path("out.v2.csv"), "out.v2_activeprompts.jsonl");
  EXPECT_EQ(active_prompts_path("/abs/out"), "/abs/out_activeprompts.jsonl");
}

}  // namespace
}  // namespace saescope
