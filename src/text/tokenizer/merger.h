#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer/merge_table.h"

namespace saescope {

/// A token that merging left, and the index of its first unit.
struct MergedToken {
  TokenId id;
  uint32_t begin;
  bool operator==(const MergedToken&) const = default;
};

/// Merges neighbouring tokens in the order of ranks, the leftmost of equal ones first: a heap of candidates
/// over a doubly linked list. Keeps its memory from call to call.
class Merger {
 public:
  explicit Merger(const MergeTable& merges) : merges_(merges) {}

  /// What becomes of `units`. A long text is merged window by window, so that the heap stays small: a place
  /// is final where two windows, of which one begins before and the other in the overlap, agree on the tokens
  /// on both of its sides. Both sides then develop as in the whole text, and no merge joins them. Where
  /// windows do not agree they grow. Valid until the next call.
  const std::vector<MergedToken>& run(std::span<const TokenId> units);

 private:
  // A node of the list.
  struct Symbol {
    TokenId id;     // kNone once merged into its left neighbour
    TokenId whole;  // what it and the next one merge to, or kNone
    uint32_t previous;
    uint32_t next;
  };
  void run_window(std::span<const TokenId> units, uint32_t begin, std::vector<MergedToken>& out);
  void run_windows(std::span<const TokenId> units);
  void fill(std::span<const TokenId> window);
  void apply(uint32_t position);
  void queue_pair(uint32_t position);

  const MergeTable& merges_;
  std::vector<Symbol> symbols_;
  std::vector<uint64_t> queue_;  // a min-heap of rank << 32 | position
  std::vector<MergedToken> result_;
};

}  // namespace saescope
