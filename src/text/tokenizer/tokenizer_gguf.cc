// The vocabulary in a GGUF file. The file names its pre-tokenizer (tokenizer.ggml.pre) but does not
// hold it: a name stands for the pipeline that the models of that family have in their tokenizer.json.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {
namespace {

constexpr int32_t kControl = 3;
constexpr int32_t kUserDefined = 4;

const char* const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The pipeline that a name stands for.
struct Family {
  const char* pattern;
  bool digits_apart = false;  // every digit is a piece before the pattern is applied
  bool nfc = false;
  bool ignore_merges = false;
};

constexpr std::array<std::pair<std::string_view, int>, 11> kFamilyOfName = {{
    {"", 0},
    {"default", 0},
    {"gpt-2", 0},
    {"gpt2", 0},
    {"smollm", 1},
    {"llama-bpe", 2},
    {"llama3", 2},
    {"llama-v3", 2},
    {"qwen2", 3},
    {"deepseek-r1-qwen", 3},
    {"tekken", 4},
}};
const std::array<Family, 5> kFamilies = {{
    {.pattern = kGpt2Pattern},
    {.pattern = kGpt2Pattern, .digits_apart = true},
    {.pattern = kLlama3Pattern, .ignore_merges = true},
    {.pattern = kQwen2Pattern, .nfc = true},
    {.pattern = kTekkenPattern, .ignore_merges = true},
}};

const Family& family_of(const std::string& pre, const std::string& where) {
  std::string known;
  for (const auto& [name, family] : kFamilyOfName) {
    if (name == pre) return kFamilies[static_cast<std::size_t>(family)];
    if (!name.empty()) known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InputError({.what = "unknown pre-tokenizer",
                    .where = where + ", tokenizer.ggml.pre",
                    .expected = known,
                    .found = pre,
                    .hint = "use the model's folder in Hugging Face layout instead"});
}

PreTokenizer make_pre_tokenizer(const Family& family, const std::string& where) {
  std::vector<PreTokenizer::Step> steps;
  if (family.digits_apart) steps.emplace_back(PreTokenizer::Digits{.individual = true});
  steps.emplace_back(PreTokenizer::Split{Regex::from_pattern(family.pattern, where)});
  return PreTokenizer(std::move(steps));
}

void check_vocabulary(const GgufVocabulary& vocabulary, const std::string& where) {
  if (vocabulary.model != "gpt2") {
    throw InputError({.what = "the file's kind of tokenizer is not implemented",
                      .where = where + ", tokenizer.ggml.model",
                      .expected = "gpt2 (byte-level BPE)",
                      .found = vocabulary.model});
  }
  const bool typed = !vocabulary.types.empty();
  if (vocabulary.tokens.empty() || (typed && vocabulary.types.size() != vocabulary.tokens.size())) {
    throw InputError({.what = "malformed vocabulary",
                      .where = where + ", tokenizer.ggml.token_type",
                      .expected = "one type for each token",
                      .found = std::to_string(vocabulary.types.size()) + " types, " +
                               std::to_string(vocabulary.tokens.size()) + " tokens"});
  }
}

// Control and user-defined tokens are cut out of the text before anything else.
AddedTokens added_tokens_of(const GgufVocabulary& vocabulary, const TokenTable& tokens,
                            const Normalizer& normalizer, const std::string& where) {
  std::map<TokenId, AddedToken> added;
  for (std::size_t i = 0; i < vocabulary.types.size(); ++i) {
    const int32_t type = vocabulary.types[i];
    const std::string& content = vocabulary.tokens[i];
    if ((type != kControl && type != kUserDefined) || content.empty()) continue;
    added[tokens.find_spelling(content)] = {.content = content, .special = type == kControl};
  }
  check_added_tokens(added, where + ", tokenizer.ggml.tokens");
  return AddedTokens(std::move(added), normalizer);
}

}  // namespace

TokenizerParts parse_gguf_vocabulary(const GgufVocabulary& vocabulary, const std::string& where) {
  check_vocabulary(vocabulary, where);
  const Family& family = family_of(vocabulary.pre, where);
  VocabularyBuilder builder(where);
  builder.reserve(vocabulary.tokens.size());
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    builder.add_token(vocabulary.tokens[i], i);
  }
  for (const std::string& merge : vocabulary.merges) builder.add_merge(merge);
  Normalizer normalizer(family.nfc ? std::vector{NormalForm::kNfc} : std::vector<NormalForm>());
  AddedTokens added = added_tokens_of(vocabulary, builder.tokens(), normalizer, where);
  BpeOptions options;
  options.ignore_merges = family.ignore_merges;
  return {std::move(added), std::move(normalizer), make_pre_tokenizer(family, where),
          BpeModel(std::move(builder.tokens()), builder.merges(), options)};
}

}  // namespace saescope
