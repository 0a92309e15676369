#include "text/tokenizer/class_pipeline.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "text/tokenizer_class.h"

namespace saescope {
namespace {

using Json = nlohmann::json;
using Metaspace = PreTokenizer::Metaspace;

std::string text_of(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

// What Qwen2Tokenizer and GPT2Tokenizer cut text by: ByteLevel's prefix of a piece, behind and before its
// Split.
std::vector<PreTokenizer::Step> byte_level_steps(const TokenizerSetup& setup, const std::string& where) {
  const bool qwen2 = setup.python_class == TokenizerClass::kQwen2;
  std::vector<PreTokenizer::Step> steps;
  steps.emplace_back(PreTokenizer::Split{Regex::from_pattern(qwen2 ? kQwen2Pattern : kGpt2Pattern, where)});
  if (setup.arguments.add_prefix_space.value_or(false)) {
    steps.emplace(qwen2 ? steps.end() : steps.begin(), PreTokenizer::PrefixSpace{});
  }
  return steps;
}

ClassPipeline qwen2_pipeline(const TokenizerSetup& setup, const std::string& where) {
  return {.normalizer = Normalizer({NormalForm::kNfc}),
          .pre_tokenizer = PreTokenizer(byte_level_steps(setup, where))};
}

ClassPipeline gpt2_pipeline(const TokenizerSetup& setup, const std::string& where) {
  return {.pre_tokenizer = PreTokenizer(byte_level_steps(setup, where))};
}

// Of GemmaTokenizer. Its Split at spaces is left out: the normaliser leaves none.
ClassPipeline gemma_pipeline() {
  return {.spelling = TokenSpelling::kCharacters,
          .normalizer = Normalizer({Normalizer::Replace{" ", kSpaceMark}}),
          .options = {.fuse_unknown = true, .byte_fallback = true},
          .unknown = "<unk>",
          .decoder = sentencepiece_decoder()};
}

Metaspace::Prepend llama_prepend(const TokenizerArguments& arguments) {
  if (!arguments.add_prefix_space.value_or(true)) return Metaspace::Prepend::kNever;
  return arguments.legacy ? Metaspace::Prepend::kAlways : Metaspace::Prepend::kFirst;
}

// Of LlamaTokenizer, which has no unknown token.
ClassPipeline llama_pipeline(const TokenizerArguments& arguments) {
  return {.spelling = TokenSpelling::kCharacters,
          .pre_tokenizer = PreTokenizer(
              {Metaspace{.mark = kSpaceMark, .prepend = llama_prepend(arguments), .split = false}}),
          .options = {.fuse_unknown = true, .byte_fallback = true},
          .decoder = sentencepiece_decoder()};
}

// Whether a component has this value; where it does not say, `otherwise` counts.
bool says(const Json& component, const char* key, const Json& value, const Json& otherwise = Json()) {
  if (!component.is_object()) return false;
  const auto found = component.find(key);
  return (found == component.end() ? otherwise : *found) == value;
}

bool normalizer_agrees(TokenizerClass python_class, const Json& normalizer) {
  switch (python_class) {
    case TokenizerClass::kQwen2:
      return says(normalizer, "type", "NFC");
    case TokenizerClass::kGemma:
      return normalizer == Json{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}};
    default:
      return normalizer.is_null();
  }
}

const char* scheme_of(Metaspace::Prepend prepend) {
  switch (prepend) {
    case Metaspace::Prepend::kAlways:
      return "always";
    case Metaspace::Prepend::kNever:
      return "never";
    default:
      return "first";
  }
}

bool pre_tokenizer_agrees(const TokenizerSetup& setup, const Json& pre_tokenizer) {
  switch (setup.python_class) {
    case TokenizerClass::kQwen2:  // the expression as it stands in the files of the family, in the text of
                                  // JSON
      return text_of(pre_tokenizer).find(text_of(kQwen2Pattern)) != std::string::npos;
    case TokenizerClass::kGpt2:
      return says(pre_tokenizer, "type", "ByteLevel") && says(pre_tokenizer, "use_regex", true, true) &&
             says(pre_tokenizer, "add_prefix_space", setup.arguments.add_prefix_space.value_or(false));
    case TokenizerClass::kGemma:
      return pre_tokenizer.is_null() ||
             (says(pre_tokenizer, "type", "Split") && says(pre_tokenizer, "pattern", Json{{"String", " "}}));
    default:
      return says(pre_tokenizer, "type", "Metaspace") && says(pre_tokenizer, "split", false) &&
             says(pre_tokenizer, "prepend_scheme", scheme_of(llama_prepend(setup.arguments)));
  }
}

}  // namespace

TokenDecoder sentencepiece_decoder() { return {.replacements = {{kSpaceMark, " "}}, .byte_fallback = true}; }

std::optional<ClassPipeline> pipeline_of(const TokenizerSetup& setup, const std::string& where) {
  switch (setup.python_class) {
    case TokenizerClass::kQwen2:
      return qwen2_pipeline(setup, where);
    case TokenizerClass::kGpt2:
      return gpt2_pipeline(setup, where);
    case TokenizerClass::kGemma:
      return gemma_pipeline();
    case TokenizerClass::kLlama:
      return llama_pipeline(setup.arguments);
    case TokenizerClass::kAsFile:
      break;
  }
  return std::nullopt;
}

std::string remark_on_class(const TokenizerSetup& setup, const Json& normalizer, const Json& pre_tokenizer) {
  if (setup.python_class == TokenizerClass::kAsFile) return {};
  const bool same_normalizer = normalizer_agrees(setup.python_class, normalizer);
  if (same_normalizer && pre_tokenizer_agrees(setup, pre_tokenizer)) return {};
  return fmt::format(
      "the {} of tokenizer.json does not count: transformers 5 uses its class {} for this model, "
      "and so does this program",
      same_normalizer ? "pre_tokenizer" : "normalizer", name_of(setup.python_class));
}

}  // namespace saescope
