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
#include "text/tokenizer/token_decoder.h"

namespace saescope {

/// The stages of a tokenizer, in the order in which text passes them.
struct TokenizerParts {
  AddedTokens added_tokens;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer = {};
  BpeModel model;
  TokenDecoder decoder = {};
  std::string remark = {};  ///< what of the file does not count, where that changes ids
};

/// The regular expression by which Qwen 2 cuts text.
extern const char* const kQwen2Pattern;

/// The character that stands for a space in vocabularies of characters: U+2581.
inline constexpr const char* kSpaceMark = "\u2581";

/// Collects vocabulary and merges.
class VocabularyBuilder {
 public:
  /// @param where the file, for messages
  VocabularyBuilder(TokenSpelling spelling, std::string where)
      : where_(std::move(where)), tokens_(spelling) {}

  void reserve(std::size_t tokens) { tokens_.reserve(tokens); }
  /// A token as it is spelled; in a byte-level vocabulary one that is not in the byte alphabet is one that no
  /// text turns into.
  /// @throws InputError where token or id stand twice or the id is too large.
  void add_token(std::string_view spelling, uint64_t id);
  /// The next merge, earliest first. Precondition: all tokens are there.
  /// @throws InputError here or in `merges` where a token of it is not in the vocabulary.
  void add_merge(std::string_view left, std::string_view right);
  /// The next merge as "left right".
  void add_merge(std::string_view pair);

  TokenTable& tokens() { return tokens_; }
  MergeTable merges();

 private:
  // A merge whose tokens have not been looked up yet; its bytes are in waiting_bytes_.
  struct Waiting {
    std::size_t begin = 0;
    std::size_t middle = 0;
    std::size_t end = 0;
    uint64_t left_hash = 0;
    uint64_t right_hash = 0;
    uint64_t whole_hash = 0;
    TokenId whole = TokenTable::kNone;  // where it was guessed
  };
  bool append_bytes(std::string_view spelling, std::string& out) const;
  TokenId guess_whole(std::string_view bytes);
  void look_up_waiting();
  TokenId require(std::string_view bytes, uint64_t hash, const Waiting& merge) const;

  std::string where_;
  TokenTable tokens_;
  std::vector<MergeTable::Entry> merges_;
  TokenId last_whole_ = TokenTable::kNone;  // what the last merge gave
  std::vector<Waiting> waiting_;
  std::string waiting_bytes_;
  std::string bytes_;  // of the token being added, kept to reuse its memory
};

/// From the text of a tokenizer.json. @throws InputError.
TokenizerParts parse_tokenizer_json(std::string_view json, const std::string& where,
                                    const TokenizerSetup& setup);

/// From the texts of vocab.json and merges.txt. @throws InputError.
TokenizerParts parse_vocabulary_files(std::string_view vocab, std::string_view merges,
                                      const std::string& where, const TokenizerSetup& setup);

/// From the vocabulary of a GGUF file. @throws InputError.
TokenizerParts parse_gguf_vocabulary(const GgufVocabulary& vocabulary, const std::string& where);
/// The same of a byte-level vocabulary, and of a SentencePiece one. Precondition: a type for each token, or
/// none.
TokenizerParts parse_gguf_byte_level(const GgufVocabulary& vocabulary, const std::string& where);
TokenizerParts parse_gguf_sentencepiece(const GgufVocabulary& vocabulary, const std::string& where);

/// Control and user-defined tokens of a GGUF vocabulary, of SentencePiece the unknown one as well: they are
/// cut out of the text before anything else. One that is spelled otherwise in `tokens` is none. @throws
/// InputError
AddedTokens gguf_added_tokens(const GgufVocabulary& vocabulary, const TokenTable& tokens,
                              const Normalizer& normalizer, const std::string& where);

/// The objects `normalizer` and `pre_tokenizer` of a tokenizer.json; null is the identity.
/// @throws InputError naming the component that is malformed or not implemented.
Normalizer parse_normalizer(const nlohmann::json& json, const std::string& where);
PreTokenizer parse_pre_tokenizer(const nlohmann::json& json, const std::string& where);

/// Whether a pre-tokenizer ends in ByteLevel, so that the vocabulary is one of bytes.
bool is_byte_level(const nlohmann::json& pre_tokenizer, const std::string& where);

/// The object `decoder` of a tokenizer whose vocabulary is one of characters. @throws InputError
TokenDecoder parse_decoder(const nlohmann::json& json, const std::string& where);

}  // namespace saescope
