#include "text/tokenizer/class_pipeline.h"

#include <fmt/format.h>

#include <utility>

namespace saescope {
namespace {

using Json = nlohmann::json;
using Metaspace = PreTokenizer::Metaspace;

std::string text_of(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

// Normaliser and pre-tokenizer of Qwen2Tokenizer.
ClassPipeline qwen2_pipeline(const std::string& where) {
  return {.normalizer = Normalizer({NormalForm::kNfc}),
          .pre_tokenizer = PreTokenizer({PreTokenizer::Split{Regex::from_pattern(kQwen2Pattern, where)}})};
}

// Of GemmaTokenizer. Its Split at spaces is left out: the normaliser leaves none.
ClassPipeline gemma_pipeline() {
  return {.spelling = TokenSpelling::kCharacters,
          .normalizer = Normalizer({Normalizer::Replace{" ", kSpaceMark}}),
          .options = {.fuse_unknown = true, .byte_fallback = true},
          .unknown = "<unk>",
          .decoder = sentencepiece_decoder()};
}

// Of LlamaTokenizer, which has no unknown token.
ClassPipeline llama_pipeline(Metaspace::Prepend prepend) {
  return {.spelling = TokenSpelling::kCharacters,
          .pre_tokenizer = PreTokenizer({Metaspace{.mark = kSpaceMark, .prepend = prepend, .split = false}}),
          .options = {.fuse_unknown = true, .byte_fallback = true},
          .decoder = sentencepiece_decoder()};
}

const char* name_of(TokenizerClass python_class) {
  switch (python_class) {
    case TokenizerClass::kQwen2:
      return "Qwen2Tokenizer";
    case TokenizerClass::kGemma:
      return "GemmaTokenizer";
    default:
      return "LlamaTokenizer";
  }
}

bool normalizer_agrees(TokenizerClass python_class, const Json& normalizer) {
  switch (python_class) {
    case TokenizerClass::kQwen2:
      return normalizer.is_object() && normalizer.value("type", "") == "NFC";
    case TokenizerClass::kGemma:
      return normalizer == Json{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}};
    default:
      return normalizer.is_null();
  }
}

bool pre_tokenizer_agrees(TokenizerClass python_class, const Json& pre_tokenizer) {
  const auto metaspace_is = [&](const char* scheme) {
    return pre_tokenizer.is_object() && pre_tokenizer.value("type", "") == "Metaspace" &&
           pre_tokenizer.value("prepend_scheme", "") == scheme && !pre_tokenizer.value("split", true);
  };
  switch (python_class) {
    case TokenizerClass::kQwen2:  // the expression as it stands in the files of the family, in the text of
                                  // JSON
      return text_of(pre_tokenizer).find(text_of(kQwen2Pattern)) != std::string::npos;
    case TokenizerClass::kGemma:
      return pre_tokenizer.is_null() ||
             (pre_tokenizer.is_object() && pre_tokenizer.value("type", "") == "Split" &&
              pre_tokenizer.value("pattern", Json()) == Json{{"String", " "}});
    case TokenizerClass::kLlamaLegacy:
      return metaspace_is("always");
    case TokenizerClass::kLlamaNoPrefix:
      return metaspace_is("never");
    default:
      return metaspace_is("first");
  }
}

}  // namespace

TokenDecoder sentencepiece_decoder() { return {.replacements = {{kSpaceMark, " "}}, .byte_fallback = true}; }

std::optional<ClassPipeline> pipeline_of(TokenizerClass python_class, const std::string& where) {
  switch (python_class) {
    case TokenizerClass::kQwen2:
      return qwen2_pipeline(where);
    case TokenizerClass::kGemma:
      return gemma_pipeline();
    case TokenizerClass::kLlama:
      return llama_pipeline(Metaspace::Prepend::kFirst);
    case TokenizerClass::kLlamaLegacy:
      return llama_pipeline(Metaspace::Prepend::kAlways);
    case TokenizerClass::kLlamaNoPrefix:
      return llama_pipeline(Metaspace::Prepend::kNever);
    case TokenizerClass::kAsFile:
      break;
  }
  return std::nullopt;
}

std::string remark_on_class(TokenizerClass python_class, const Json& normalizer, const Json& pre_tokenizer) {
  if (python_class == TokenizerClass::kAsFile) return {};
  const bool same_normalizer = normalizer_agrees(python_class, normalizer);
  if (same_normalizer && pre_tokenizer_agrees(python_class, pre_tokenizer)) return {};
  return fmt::format(
      "the {} of tokenizer.json does not count: transformers 5 uses its class {} for this model, "
      "and so does this program",
      same_normalizer ? "pre_tokenizer" : "normalizer", name_of(python_class));
}

}  // namespace saescope
