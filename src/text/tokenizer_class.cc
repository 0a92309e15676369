#include "text/tokenizer_class.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace saescope {
namespace {

constexpr std::array<std::pair<TokenizerClass, std::string_view>, 5> kClassNames = {
    {{TokenizerClass::kAsFile, "TokenizersBackend"},
     {TokenizerClass::kQwen2, "Qwen2Tokenizer"},
     {TokenizerClass::kGpt2, "GPT2Tokenizer"},
     {TokenizerClass::kGemma, "GemmaTokenizer"},
     {TokenizerClass::kLlama, "LlamaTokenizer"}}};

std::string without_fast(std::string name) {
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.resize(name.size() - kFast.size());
  return name;
}

/// The class of a model type (TOKENIZER_MAPPING_NAMES, without the package mistral_common), if it has one.
std::optional<TokenizerClass> class_of_model(std::string_view model_type) {
  static constexpr std::array<std::pair<std::string_view, TokenizerClass>, 7> kClasses = {
      {{"qwen2", TokenizerClass::kQwen2},
       {"qwen3", TokenizerClass::kQwen2},
       {"gemma", TokenizerClass::kGemma},
       {"gemma2", TokenizerClass::kGemma},
       {"gemma3", TokenizerClass::kGemma},
       {"gemma3_text", TokenizerClass::kGemma},
       {"mistral", TokenizerClass::kAsFile}}};
  for (const auto& [type, python_class] : kClasses) {
    if (type == model_type) return python_class;
  }
  return std::nullopt;
}

}  // namespace

std::string class_that_counts(const DeclaredClass& declared, const ModelHints& model) {
  const std::string name = without_fast(declared.name.empty() ? model.tokenizer_class : declared.name);
  const std::string as_file(name_of(TokenizerClass::kAsFile));
  const auto of_model = class_of_model(model.model_type);
  if (name.empty()) return of_model ? std::string(name_of(*of_model)) : as_file;
  if (declared.custom_code) return name;
  // The class that files of Qwen 2 name is known to be wrong (MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS).
  if (model.model_type == "qwen2") return std::string(name_of(*of_model));
  if (of_model == TokenizerClass::kAsFile) return as_file;
  if (model.byte_level && tokenizer_class_of(name) == TokenizerClass::kLlama) return as_file;
  return name;
}

TokenizerClass tokenizer_class_of(std::string_view name) {
  for (const auto& [python_class, known] : kClassNames) {
    if (known == name) return python_class;
  }
  return TokenizerClass::kAsFile;
}

std::string_view name_of(TokenizerClass python_class) {
  for (const auto& [known, name] : kClassNames) {
    if (known == python_class) return name;
  }
  return {};
}

bool has_unknown_pipeline(std::string_view name) {
  // The classes of byte-pair encoding with an __init__ of their own.
  static constexpr std::array<std::string_view, 25> kNotImplemented = {
      "BartTokenizer",      "BlenderbotTokenizer",  "CLIPTokenizer",    "CodeGenTokenizer",
      "CodeLlamaTokenizer", "CohereTokenizer",      "DebertaTokenizer", "EsmcTokenizer",
      "GPTNeoXTokenizer",   "HerbertTokenizer",     "LEDTokenizer",     "LayoutLMv3Tokenizer",
      "LukeTokenizer",      "MarkupLMTokenizer",    "MvpTokenizer",     "NllbTokenizer",
      "NougatTokenizer",    "OpenAIGPTTokenizer",   "Qwen3_5Tokenizer", "ReformerTokenizer",
      "RobertaTokenizer",   "SeamlessM4TTokenizer", "Siglip2Tokenizer", "Tipsv2Tokenizer",
      "WhisperTokenizer"};
  return std::find(kNotImplemented.begin(), kNotImplemented.end(), name) != kNotImplemented.end();
}

bool names_byte_level(std::string_view tokenizer_json) {
  return tokenizer_json.find("\"ByteLevel\"") != std::string_view::npos;
}

}  // namespace saescope
