#include "text/tokenizer_class.h"

#include <gtest/gtest.h>

namespace saescope {
namespace {

TEST(ClassThatCounts, IsTheModelsOwnWhereNoFileNamesOne) {
  EXPECT_EQ(class_that_counts({}, {.model_type = "qwen3"}), "Qwen2Tokenizer");
  EXPECT_EQ(class_that_counts({}, {.model_type = "gemma3"}), "GemmaTokenizer");
  EXPECT_EQ(class_that_counts({}, {.model_type = "mistral"}), "TokenizersBackend");
  EXPECT_EQ(class_that_counts({}, {.model_type = "llama"}), "TokenizersBackend");
}

TEST(ClassThatCounts, OfTokenizerConfigComesBeforeThatOfConfig) {
  const ModelHints model = {.model_type = "llama", .tokenizer_class = "GPT2TokenizerFast"};
  EXPECT_EQ(class_that_counts({}, model), "GPT2Tokenizer");
  EXPECT_EQ(class_that_counts({.name = "Qwen2TokenizerFast"}, model), "Qwen2Tokenizer");
}

TEST(ClassThatCounts, OfQwen2AndMistralIsNeverANamedOne) {
  for (const char* name : {"LlamaTokenizer", "GPT2Tokenizer", "GemmaTokenizerFast", "Anything"}) {
    EXPECT_EQ(class_that_counts({.name = name}, {.model_type = "qwen2"}), "Qwen2Tokenizer") << name;
    EXPECT_EQ(class_that_counts({.name = name}, {.model_type = "mistral"}), "TokenizersBackend") << name;
  }
}

TEST(ClassThatCounts, OfAByteLevelFileIsNotLlamas) {
  for (const char* type : {"llama", "gemma2", "qwen3"}) {
    EXPECT_EQ(class_that_counts({.name = "LlamaTokenizerFast"}, {.model_type = type, .byte_level = true}),
              "TokenizersBackend");
    EXPECT_EQ(class_that_counts({.name = "LlamaTokenizerFast"}, {.model_type = type}), "LlamaTokenizer");
  }
}

TEST(ClassThatCounts, IsTheNamedOneWhereTheModelBringsItsOwnCode) {
  const DeclaredClass declared = {.name = "LlamaTokenizer", .custom_code = true};
  for (const char* type : {"llama", "mistral", "qwen2"}) {
    EXPECT_EQ(class_that_counts(declared, {.model_type = type, .byte_level = true}), "LlamaTokenizer");
  }
}

TEST(TokenizerClassNames, AreReadAndWritten) {
  for (const char* name :
       {"TokenizersBackend", "Qwen2Tokenizer", "GPT2Tokenizer", "GemmaTokenizer", "LlamaTokenizer"}) {
    EXPECT_EQ(name_of(tokenizer_class_of(name)), name);
    EXPECT_FALSE(has_unknown_pipeline(name));
  }
  EXPECT_EQ(tokenizer_class_of("PreTrainedTokenizer"), TokenizerClass::kAsFile);
  EXPECT_TRUE(has_unknown_pipeline("CodeLlamaTokenizer"));
}

}  // namespace
}  // namespace saescope
