#include "text/tokenizer_config.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

TokenizerConfig parse(std::string_view json) {
  return read_tokenizer_config({.tokenizer_config = TokenizerSideFiles::File{std::string(json), "x"}});
}

std::string error_of(std::string_view json) {
  try {
    read_tokenizer_config(
        {.tokenizer_config = TokenizerSideFiles::File{std::string(json), "tokenizer_config.json"}});
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(TokenizerConfig, SpecialTokensAreTextsOrObjectsWithAContent) {
  const TokenizerConfig config =
      parse(R"({"eos_token": {"content": "</s>", "lstrip": false}, "bos_token": "<s>", "pad_token": null})");
  EXPECT_EQ(config.special_tokens.dump(), R"({"bos_token":"<s>","eos_token":"</s>"})");
  EXPECT_EQ(default_chat_template(config, "x"), std::nullopt);
}

/// The template of a tokenizer_config.json with this value, or why there is none.
std::string template_of(const std::string& value) {
  try {
    return default_chat_template(parse(R"({"chat_template": )" + value + "}"), "x").value_or("none");
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(TokenizerConfig, OfNamedTemplatesTheDefaultCounts) {
  EXPECT_EQ(template_of(R"("one")"), "one");
  EXPECT_EQ(template_of("null"), "none");
  EXPECT_EQ(template_of(R"([1, {"name": 2, "template": 3}, {"name": "default", "template": "no"},
                            {"name": "rag", "template": "no"}, {"name": "default", "template": "yes"}])"),
            "yes");
  EXPECT_EQ(template_of(R"({"rag": "no", "default": "yes"})"), "yes");
}

TEST(TokenizerConfig, NamedTemplatesWithoutAUsableDefaultAreRefusedWhenTheyAreNeeded) {
  for (const char* value : {R"([{"name": "rag", "template": "no"}])", R"({"rag": "no"})", "5", "[]"}) {
    EXPECT_THAT(template_of(value), HasSubstr("none of the chat templates is the default")) << value;
  }
  for (const char* value : {R"([{"name": "default", "template": 5}])", R"({"default": null})"}) {
    EXPECT_THAT(template_of(value), HasSubstr("the default chat template is no text")) << value;
  }
}

TEST(TokenizerConfig, DeepNestingIsRefusedInEveryFile) {
  const std::string deep =
      R"({"extra_special_tokens": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(error_of(deep), HasSubstr("tokenizer_config.json: the JSON document is nested too deeply"));
  const TokenizerSideFiles::File file = {deep, "x"};
  EXPECT_THROW(read_tokenizer_config({.special_tokens_map = file}), InputError);
  EXPECT_THROW(read_tokenizer_config({.added_tokens = file}), InputError);
}

TEST(TokenizerConfig, AMalformedFileIsRefusedWithItsName) {
  EXPECT_THAT(error_of("{"), HasSubstr("tokenizer_config.json: not valid JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(std::string_view("{}\0x", 4)), HasSubstr("a NUL byte at byte 2"));
  EXPECT_THAT(error_of(R"({"unk_token": {"content": 1}})"), HasSubstr("unk_token"));
  EXPECT_THAT(error_of(R"({"added_tokens_decoder": {"x": "a"}})"), HasSubstr("added_tokens_decoder"));
  EXPECT_THAT(error_of(R"({"split_special_tokens": true})"), HasSubstr("split_special_tokens"));
}

}  // namespace
}  // namespace saescope
