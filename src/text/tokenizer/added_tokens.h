#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/added_token.h"
#include "text/tokenizer/normalizer.h"

namespace saescope {

/// A stretch of text, or an added token found in it.
struct Segment {
  std::string_view text;
  std::optional<TokenId> token;
  std::size_t begin = 0;  ///< in the text that was cut; a token's stretch has the white space it takes along
  std::size_t end = 0;
};

/// Finds a set of byte strings in a text: leftmost first, the longest at each place.
class TextMatcher {
 public:
  void add(std::string_view pattern, TokenId id);
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    TokenId id = 0;
  };
  /// The first match at or after `from`.
  std::optional<Match> find(std::string_view text, std::size_t from) const;
  bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    std::map<char, uint32_t> children;
    std::optional<TokenId> id;
  };
  std::optional<Match> longest_at(std::string_view text, std::size_t begin) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);  // a trie; the first is its root
  std::string first_bytes_;
};

/// @throws InputError where a text is not UTF-8, or where all are too long together: a search tree takes some
///         hundred times their bytes. @param where the file, for messages
void check_added_tokens(const std::map<TokenId, AddedToken>& tokens, const std::string& where);

/// The added tokens of a tokenizer (the class AddedVocabulary of the Python library).
class AddedTokens {
 public:
  AddedTokens() = default;
  /// @param tokens by id @param normalizer applied to those that are looked for in normalised text
  AddedTokens(std::map<TokenId, AddedToken> tokens, const Normalizer& normalizer);

  /// Cuts `text` at the tokens that are looked for in the original, or in the normalised text.
  std::vector<Segment> split(std::string_view text, bool normalized) const;

  std::optional<TokenId> find(std::string_view content) const;
  /// The token of an id, or null.
  const AddedToken* token(TokenId id) const;
  /// Largest id + 1, or 0.
  std::size_t size() const;

 private:
  std::map<TokenId, AddedToken> tokens_;
  std::unordered_map<std::string, TokenId> ids_;
  TextMatcher original_;
  TextMatcher normalized_;
};

}  // namespace saescope
