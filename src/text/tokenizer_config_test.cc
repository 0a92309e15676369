#include "text/tokenizer_config.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view json) {
  try {
    parse_tokenizer_config(json, "tokenizer_config.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(TokenizerConfig, SpecialTokensAreTextsOrObjectsWithAContent) {
  const TokenizerConfig config = parse_tokenizer_config(
      R"({"eos_token": {"content": "</s>", "lstrip": false}, "bos_token": "<s>", "pad_token": null,
          "unk_token": {"content": 1}, "cls_token": ["x"]})",
      "x");
  EXPECT_EQ(config.special_tokens.dump(), R"({"bos_token":"<s>","eos_token":"</s>"})");
  EXPECT_EQ(config.chat_template, std::nullopt);
}

TEST(TokenizerConfig, OfNamedTemplatesTheDefaultCounts) {
  EXPECT_EQ(parse_tokenizer_config(R"({"chat_template": "one"})", "x").chat_template, "one");
  EXPECT_EQ(parse_tokenizer_config(R"({"chat_template": [1, {"name": 2, "template": 3},
                                       {"name": "rag", "template": "no"}, {"name": "default", "template": "yes"}]})",
                                   "x")
                .chat_template,
            "yes");
  EXPECT_EQ(parse_tokenizer_config(R"({"chat_template": [{"name": "rag"}]})", "x").chat_template,
            std::nullopt);
}

TEST(TokenizerConfig, AMalformedFileIsRefusedWithItsName) {
  EXPECT_THAT(error_of("{"), HasSubstr("tokenizer_config.json: not valid JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(std::string_view("{}\0x", 4)), HasSubstr("a NUL byte at byte 2"));
  EXPECT_THAT(error_of(R"({"chat_template": [{"name": "default", "template": 5}]})"),
              HasSubstr("the default chat template is no text"));
}

}  // namespace
}  // namespace saescope
