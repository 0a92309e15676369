// The vocabulary of a SentencePiece model in a GGUF file (tokenizer.ggml.model = "llama"): tokens with scores
// and mostly no merges. Two neighbouring tokens merge wherever their texts make a token, the best score
// first; these are the merges of the model's tokenizer.json, as transformers puts them together again from
// such a file (generate_merges). A space goes in front of every stretch between added tokens, as in llama.cpp
// and in the tokenizer.json of these models, where the file does not say otherwise.

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/class_pipeline.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {
namespace {

// A merge that a token implies.
struct Implied {
  float score;
  uint32_t left_length;  // in characters, as right_length
  uint32_t right_length;
  TokenId left;
  TokenId right;
  TokenId whole;
};

bool is_gemma(const GgufVocabulary& vocabulary) {
  const std::string& name = vocabulary.architecture;
  return name == "gemma" || name == "gemma2" || name == "gemma3";
}

// Gemma's files hold runs of spaces as they are, and the vocabulary as marks.
std::string spelling_of(const std::string& token) {
  const bool spaces = !token.empty() && token.find_first_not_of(' ') == std::string::npos;
  if (!spaces) return token;
  std::string marks;
  for (std::size_t i = 0; i < token.size(); ++i) marks += kSpaceMark;
  return marks;
}

// How good a token is. The scores of Gemma's files do not follow the order of its merges; that of its tokens
// does.
std::vector<float> scores_of(const GgufVocabulary& vocabulary, const std::string& where) {
  std::vector<float> scores = vocabulary.scores;
  if (is_gemma(vocabulary)) {
    scores.resize(vocabulary.tokens.size());
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = -static_cast<float>(i);
  }
  const bool bad = std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
  if (!bad && scores.size() == vocabulary.tokens.size()) return scores;
  throw InputError({.what = "the vocabulary has neither merges nor a score for each token",
                    .where = where + ", tokenizer.ggml.scores",
                    .expected = std::to_string(vocabulary.tokens.size()) + " numbers",
                    .found = bad ? "one that is no number" : std::to_string(scores.size())});
}

void append_implied(const TokenTable& tokens, TokenId whole, float score, std::vector<Implied>& merges) {
  const std::string_view text = tokens.bytes(whole);
  const auto characters = static_cast<uint32_t>(std::count_if(text.begin(), text.end(), begins_character));
  uint32_t left_length = 0;
  for (std::size_t cut = 0; cut < text.size();) {
    cut += std::max<std::size_t>(decode_utf8(text, cut).length, 1);
    ++left_length;
    if (cut >= text.size()) return;
    const TokenId left = tokens.find(text.substr(0, cut));
    if (left == TokenTable::kNone) continue;
    const TokenId right = tokens.find(text.substr(cut));
    if (right == TokenTable::kNone) continue;
    merges.push_back({score, left_length, characters - left_length, left, right, whole});
  }
}

// All merges that the tokens imply, the best first.
MergeTable implied_merges(const TokenTable& tokens, const std::vector<float>& scores,
                          const std::string& where) {
  constexpr std::size_t kMostBytes = 1024;  // the work grows with the square of it; Gemma's longest has 93
  std::vector<Implied> merges;
  for (std::size_t id = 0; id < scores.size(); ++id) {
    const auto whole = static_cast<TokenId>(id);
    if (tokens.bytes(whole).size() > kMostBytes) {
      throw InputError({.what = "a token is too long",
                        .where = where + ", tokenizer.ggml.tokens, token " + std::to_string(id),
                        .expected = "at most " + std::to_string(kMostBytes) + " bytes",
                        .found = std::to_string(tokens.bytes(whole).size()) + " bytes"});
    }
    append_implied(tokens, whole, scores[id], merges);
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Implied& a, const Implied& b) {
    return std::tie(a.score, a.left_length, a.right_length) >
           std::tie(b.score, b.left_length, b.right_length);
  });
  std::vector<MergeTable::Entry> entries;
  entries.reserve(merges.size());
  for (const Implied& merge : merges) entries.push_back({merge.left, merge.right, merge.whole});
  return MergeTable(entries);
}

Normalizer normalizer_of(const GgufVocabulary& vocabulary) {
  std::vector<Normalizer::Step> steps;
  if (vocabulary.add_space_prefix) steps.emplace_back(Normalizer::Prepend{kSpaceMark});
  steps.emplace_back(Normalizer::Replace{" ", kSpaceMark});
  return Normalizer(std::move(steps));
}

constexpr int32_t kUnknownType = 2;  // in tokenizer.ggml.token_type

std::optional<TokenId> unknown_token(const GgufVocabulary& vocabulary) {
  const auto found = std::find(vocabulary.types.begin(), vocabulary.types.end(), kUnknownType);
  if (found == vocabulary.types.end()) return std::nullopt;
  return static_cast<TokenId>(found - vocabulary.types.begin());
}

}  // namespace

TokenizerParts parse_gguf_sentencepiece(const GgufVocabulary& vocabulary, const std::string& where) {
  VocabularyBuilder builder(TokenSpelling::kCharacters, where);
  builder.reserve(vocabulary.tokens.size());
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    builder.add_token(is_gemma(vocabulary) ? spelling_of(vocabulary.tokens[i]) : vocabulary.tokens[i], i);
  }
  for (const std::string& merge : vocabulary.merges) builder.add_merge(merge);
  MergeTable merges = vocabulary.merges.empty()
                          ? implied_merges(builder.tokens(), scores_of(vocabulary, where), where)
                          : builder.merges();
  Normalizer normalizer = normalizer_of(vocabulary);
  AddedTokens added = gguf_added_tokens(vocabulary, builder.tokens(), normalizer, where);
  const BpeOptions options = {
      .unknown = unknown_token(vocabulary), .fuse_unknown = true, .byte_fallback = true};
  return {.added_tokens = std::move(added),
          .normalizer = std::move(normalizer),
          .model = BpeModel(std::move(builder.tokens()), std::move(merges), options),
          .decoder = sentencepiece_decoder()};
}

}  // namespace saescope
