#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer/table_memory.h"
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
  /// A pair of ids and the id that becomes of it; the merge's rank is its place in the list.
  struct Entry {
    TokenId left;
    TokenId right;
    TokenId whole;
  };
  /// Where a pair stands twice the later entry counts, as in the Python library.
  explicit MergeTable(const std::vector<Entry>& entries);

  /// The merge of a pair; its id is TokenTable::kNone where there is none.
  Merge find(TokenId left, TokenId right) const;

  /// Whether one of some tokens is a part of a merge, or given by one. Reads all merges.
  bool name_any_of(std::span<const TokenId> ids) const;

  /// What the merge of a rank gives.
  TokenId whole(uint32_t rank) const { return wholes_[rank]; }

 private:
  struct Slot {
    uint64_t pair = kEmpty;
    Merge merge;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static uint64_t pair_of(TokenId left, TokenId right);
  std::size_t slot_of(uint64_t pair) const;

  TableVector<Slot> slots_;  // a power of two, at least a quarter free
  std::vector<TokenId> wholes_;
};

}  // namespace saescope
