#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/hash.h"
#include "text/tokenizer/table_memory.h"

namespace saescope {

/// How a vocabulary spells its tokens, which is also what byte-pair encoding starts from.
enum class TokenSpelling : uint8_t {
  kBytes,       ///< in the byte alphabet (`Ġthe`): a token is a string of bytes
  kCharacters,  ///< as text (`▁the`): a token is a string of characters
};

/// The vocabulary: bytes of a token ↔ id. Open addressing over one arena of bytes, because a
/// vocabulary of 128,000 tokens is looked up nearly a million times while its merges are read.
class TokenTable {
 public:
  static constexpr TokenId kNone = -1;
  /// Larger ids are refused: the table's memory grows with the largest id.
  static constexpr TokenId kLargestId = (1 << 22) - 1;

  explicit TokenTable(TokenSpelling spelling = TokenSpelling::kBytes) : spelling_(spelling) {}

  TokenSpelling spelling() const { return spelling_; }

  /// Makes room for `count` tokens.
  void reserve(std::size_t count);

  /// Adds a token. @return false, without a change, where its bytes are there already.
  /// Precondition: 0 ≤ id ≤ kLargestId, not yet taken.
  [[nodiscard]] bool add(std::string_view bytes, TokenId id);

  /// Adds a token that is not spelled in the byte alphabet, so that no text turns into it: it has an
  /// id and a spelling, but only `find_spelling` finds it.
  [[nodiscard]] bool add_unreachable(std::string_view spelling, TokenId id);

  /// The token's id, or kNone.
  TokenId find(std::string_view bytes) const { return find(bytes, hash_bytes(bytes)); }

  /// The same where hash_bytes(bytes) is known; `prefetch` brings what it will read into the cache.
  TokenId find(std::string_view bytes, uint64_t hash) const;
  void prefetch(uint64_t hash) const;

  /// The id of a token by its spelling in the vocabulary (`Ġthe`), or kNone.
  TokenId find_spelling(std::string_view spelling) const;

  /// Whether an id names a token.
  bool contains(TokenId id) const;

  /// The token's bytes; empty for an id that names no token.
  std::string_view bytes(TokenId id) const;

  /// Largest id + 1.
  std::size_t size() const { return spans_.size(); }
  /// Number of different tokens.
  std::size_t count() const { return count_ + unreachable_.size(); }

 private:
  static constexpr uint64_t kNowhere = ~uint64_t{0};
  struct Span {
    uint64_t offset = kNowhere;
    uint32_t length = 0;
  };
  // Nearly all tokens lie in the slot itself, so that looking one up touches one cache line.
  static constexpr std::size_t kInline = 24;  // bytes
  using Key =
      std::array<uint64_t, kInline / 8>;  // the bytes, filled up with zeros, or their hash if there are more
  struct Slot {
    Key key = {};
    uint32_t length = 0;  // in bytes
    TokenId id = kNone;
  };
  static Key key_of(std::string_view bytes, uint64_t hash);
  void store(std::string_view bytes, TokenId id);
  void grow(std::size_t slots);
  std::size_t slot_of(std::string_view bytes, uint64_t hash) const;

  TokenSpelling spelling_;
  std::string arena_;
  std::vector<Span> spans_;  // index = id
  TableVector<Slot> slots_;  // a power of two, at least a quarter free
  std::size_t count_ = 0;    // of the tokens in slots_
  std::unordered_map<std::string, TokenId> unreachable_;
};

}  // namespace saescope
