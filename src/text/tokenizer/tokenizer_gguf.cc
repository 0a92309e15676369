// The vocabulary in a GGUF file. The file names its pre-tokenizer (tokenizer.ggml.pre) but does not
// hold it: a name stands for the pipeline that the models of that family have in their tokenizer.json.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {

const char* const kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

constexpr int32_t kUnknown = 2;
constexpr int32_t kControl = 3;
constexpr int32_t kUserDefined = 4;

const char* const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The pipeline that a name stands for.
struct Family {
  const char* pattern;
  bool digits_apart = false;  // every digit is a piece before the pattern is applied
  bool nfc = false;
  bool ignore_merges = false;
};

enum FamilyIndex : uint8_t { kGpt2, kSmolLm, kLlama3, kQwen2, kTekken, kO200k };

// Of the names of a family, the first is llama.cpp's own; the others are of models that share its splitting.
constexpr std::array<std::pair<std::string_view, FamilyIndex>, 25> kFamilyOfName = {{
    {"gpt-2", kGpt2},          {"gpt2", kGpt2},       {"smollm", kSmolLm},    {"llama-bpe", kLlama3},
    {"llama3", kLlama3},       {"llama-v3", kLlama3}, {"smaug-bpe", kLlama3}, {"falcon3", kLlama3},
    {"falcon-h1", kLlama3},    {"pixtral", kLlama3},  {"midm-2.0", kLlama3},  {"lfm2", kLlama3},
    {"jina-v5-nano", kLlama3}, {"dbrx", kLlama3},     {"qwen2", kQwen2},      {"deepseek-r1-qwen", kQwen2},
    {"kormo", kQwen2},         {"f2llmv2", kQwen2},   {"megrez", kQwen2},     {"tekken", kTekken},
    {"gpt-4o", kO200k},        {"llama4", kO200k},    {"kanana2", kO200k},    {"talkie", kO200k},
    {"minimax-m2", kO200k},
}};
const std::array<Family, 6> kFamilies = {{
    {.pattern = kGpt2Pattern},
    {.pattern = kGpt2Pattern, .digits_apart = true},
    {.pattern = kLlama3Pattern, .ignore_merges = true},
    {.pattern = kQwen2Pattern, .nfc = true},
    {.pattern = kTekkenPattern, .ignore_merges = true},
    {.pattern = kO200kPattern, .ignore_merges = true},
}};

bool has_token(const GgufVocabulary& vocabulary, std::string_view token) {
  return std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) != vocabulary.tokens.end();
}

// Files of early 2024 do not name their pre-tokenizer, and converters that did not know a model wrote
// "default". GPT-2's splitting is wrong for most chat models that such files hold, so that the vocabulary is
// looked at.
FamilyIndex family_of_unnamed(const GgufVocabulary& vocabulary) {
  if (has_token(vocabulary, "<|begin_of_text|>") &&
      (has_token(vocabulary, "<|start_header_id|>") || has_token(vocabulary, "<|eot_id|>"))) {
    return kLlama3;
  }
  if (vocabulary.architecture == "qwen2" || vocabulary.architecture == "qwen3") return kQwen2;
  return kGpt2;
}

// Said where nothing in the file tells how the model's tokenizer cuts text.
std::string remark_on(const GgufVocabulary& vocabulary, const Family& family) {
  const bool guessed =
      (vocabulary.pre.empty() || vocabulary.pre == "default") && &family == &kFamilies[kGpt2];
  if (!guessed) return {};
  return "the file does not say how its tokenizer cuts text (tokenizer.ggml.pre), and its vocabulary is not "
         "known: "
         "text is cut as for GPT-2, as transformers does; convert the model again with a current llama.cpp, "
         "or use "
         "its folder in Hugging Face layout";
}

const Family& family_of(const GgufVocabulary& vocabulary, const std::string& where) {
  if (vocabulary.pre.empty() || vocabulary.pre == "default") {
    return kFamilies[family_of_unnamed(vocabulary)];
  }
  std::string known;
  for (const auto& [name, family] : kFamilyOfName) {
    if (name == vocabulary.pre) return kFamilies[family];
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InputError({.what = "unknown pre-tokenizer",
                    .where = where + ", tokenizer.ggml.pre",
                    .expected = known,
                    .found = vocabulary.pre,
                    .hint = "use the model's folder in Hugging Face layout instead"});
}

PreTokenizer make_pre_tokenizer(const Family& family, const std::string& where) {
  std::vector<PreTokenizer::Step> steps;
  if (family.digits_apart) steps.emplace_back(PreTokenizer::Digits{.individual = true});
  steps.emplace_back(PreTokenizer::Split{Regex::from_pattern(family.pattern, where)});
  return PreTokenizer(std::move(steps));
}

void check_sizes(const GgufVocabulary& vocabulary, const std::string& where) {
  const bool typed = !vocabulary.types.empty();
  if (vocabulary.tokens.empty() || (typed && vocabulary.types.size() != vocabulary.tokens.size())) {
    throw InputError({.what = "malformed vocabulary",
                      .where = where + ", tokenizer.ggml.token_type",
                      .expected = "one type for each token",
                      .found = std::to_string(vocabulary.types.size()) + " types, " +
                               std::to_string(vocabulary.tokens.size()) + " tokens"});
  }
}

}  // namespace

AddedTokens gguf_added_tokens(const GgufVocabulary& vocabulary, const TokenTable& tokens,
                              const Normalizer& normalizer, const std::string& where) {
  std::map<TokenId, AddedToken> added;
  for (std::size_t i = 0; i < vocabulary.types.size(); ++i) {
    const int32_t type = vocabulary.types[i];
    const std::string& content = vocabulary.tokens[i];
    const bool special = type == kControl || (type == kUnknown && vocabulary.model == "llama");
    if ((!special && type != kUserDefined) || content.empty()) continue;
    const TokenId id = tokens.find_spelling(content);
    if (id != TokenTable::kNone) added[id] = {.content = content, .special = special};
  }
  check_added_tokens(added, where + ", tokenizer.ggml.tokens");
  return AddedTokens(std::move(added), normalizer);
}

TokenizerParts parse_gguf_byte_level(const GgufVocabulary& vocabulary, const std::string& where) {
  const Family& family = family_of(vocabulary, where);
  VocabularyBuilder builder(TokenSpelling::kBytes, where);
  builder.reserve(vocabulary.tokens.size());
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    builder.add_token(vocabulary.tokens[i], i);
  }
  for (const std::string& merge : vocabulary.merges) builder.add_merge(merge);
  MergeTable merges = builder.merges();
  Normalizer normalizer(family.nfc ? std::vector<Normalizer::Step>{NormalForm::kNfc}
                                   : std::vector<Normalizer::Step>());
  AddedTokens added = gguf_added_tokens(vocabulary, builder.tokens(), normalizer, where);
  BpeOptions options;
  options.ignore_merges = family.ignore_merges;
  return {.added_tokens = std::move(added),
          .normalizer = std::move(normalizer),
          .pre_tokenizer = make_pre_tokenizer(family, where),
          .model = BpeModel(std::move(builder.tokens()), std::move(merges), options),
          .remark = remark_on(vocabulary, family)};
}

TokenizerParts parse_gguf_vocabulary(const GgufVocabulary& vocabulary, const std::string& where) {
  const bool byte_level = vocabulary.model == "gpt2";
  if (!byte_level && vocabulary.model != "llama") {
    throw InputError({.what = "the file's kind of tokenizer is not implemented",
                      .where = where + ", tokenizer.ggml.model",
                      .expected = "gpt2 (byte-level BPE) or llama (SentencePiece)",
                      .found = vocabulary.model});
  }
  check_sizes(vocabulary, where);
  return byte_level ? parse_gguf_byte_level(vocabulary, where) : parse_gguf_sentencepiece(vocabulary, where);
}

}  // namespace saescope
