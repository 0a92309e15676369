#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/piece_cache.h"
#include "text/tokenizer/token_table.h"

namespace saescope {

/// What a merge of two neighbouring tokens gives, and how early it is done (0 first).
struct Merge {
  uint32_t rank = 0;
  TokenId id = TokenTable::kNone;
};

/// The merges of a vocabulary: pair of ids → Merge, in one open-addressed table.
class MergeTable {
 public:
  /// A pair of ids and what becomes of it.
  struct Entry {
    TokenId left;
    TokenId right;
    Merge merge;
  };
  /// Where a pair stands twice the later entry counts, as in the Python library.
  explicit MergeTable(const std::vector<Entry>& entries);

  /// The merge of a pair; its id is TokenTable::kNone where there is none.
  Merge find(TokenId left, TokenId right) const;

 private:
  struct Slot {
    uint64_t pair = kEmpty;
    Merge merge;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static uint64_t pair_of(TokenId left, TokenId right);
  std::size_t slot_of(uint64_t pair) const;

  std::vector<Slot> slots_;  // a power of two, at least a quarter free
};

/// How byte-pair encoding departs from its plain form.
struct BpeOptions {
  bool ignore_merges = false;      ///< a piece that is a token is that token, merges or not
  std::optional<TokenId> unknown;  ///< stands for bytes without a token; else they vanish
  bool fuse_unknown = false;       ///< a run of such bytes gives `unknown` once
};

/// Byte-pair encoding over bytes (the class BPE of the Python library, for byte-level vocabularies).
/// Immutable but for a cache, and safe to share between threads.
class BpeModel {
 public:
  BpeModel(TokenTable tokens, MergeTable merges, BpeOptions options);

  /// Appends the ids of one piece of pre-tokenised text. O(n log n) in its length.
  void encode(std::string_view piece, std::vector<TokenId>& out) const;

  const TokenTable& tokens() const { return tokens_; }

 private:
  void merge(std::string_view piece, std::vector<TokenId>& out) const;

  TokenTable tokens_;
  MergeTable merges_;
  BpeOptions options_;
  std::array<TokenId, 256> byte_ids_;
  std::unique_ptr<PieceCache> cache_;
};

}  // namespace saescope
