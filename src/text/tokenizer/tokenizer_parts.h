#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/pre_tokenizer.h"

namespace saescope {

/// The stages of a tokenizer, in the order in which text passes them.
struct TokenizerParts {
  AddedTokens added_tokens;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  BpeModel model;
  std::string remark = {};  ///< what of the file does not count, where that changes ids
};

/// The regular expression by which Qwen 2 cuts text.
extern const char* const kQwen2Pattern;

/// Collects vocabulary and merges in the spelling of byte-level vocabularies (`Ġthe`).
class VocabularyBuilder {
 public:
  /// @param where the file, for messages
  explicit VocabularyBuilder(std::string where) : where_(std::move(where)) {}

  void reserve(std::size_t tokens) { tokens_.reserve(tokens); }
  /// A token in the byte alphabet, or, with any other character, one that no text turns into.
  /// @throws InputError where token or id stand twice or the id is too large.
  void add_token(std::string_view spelling, uint64_t id);
  /// The next merge, earliest first. @throws InputError where a token of it is not in the vocabulary.
  void add_merge(std::string_view left, std::string_view right);
  /// The next merge as "left right".
  void add_merge(std::string_view pair);

  TokenTable& tokens() { return tokens_; }
  MergeTable merges() const { return MergeTable(merges_); }

 private:
  TokenId find_whole() const;
  TokenId require(TokenId id, std::string_view bytes, std::string_view left, std::string_view right) const;

  std::string where_;
  TokenTable tokens_;
  std::vector<MergeTable::Entry> merges_;
  TokenId last_whole_ = TokenTable::kNone;  // what the last merge gave
  std::string left_;                        // bytes of the merge being added, kept to reuse its memory
  std::string whole_;
};

/// From the text of a tokenizer.json. @throws InputError.
TokenizerParts parse_tokenizer_json(std::string_view json, const std::string& where,
                                    const TokenizerSetup& setup);

/// From the texts of vocab.json and merges.txt. @throws InputError.
TokenizerParts parse_vocabulary_files(std::string_view vocab, std::string_view merges,
                                      const std::string& where, const TokenizerSetup& setup);

/// From the vocabulary of a GGUF file. @throws InputError.
TokenizerParts parse_gguf_vocabulary(const GgufVocabulary& vocabulary, const std::string& where);

/// The objects `normalizer` and `pre_tokenizer` of a tokenizer.json; null is the identity.
/// @throws InputError naming the component that is malformed or not implemented.
Normalizer parse_normalizer(const nlohmann::json& json, const std::string& where);
PreTokenizer parse_pre_tokenizer(const nlohmann::json& json, const std::string& where);

}  // namespace saescope
