#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace saescope {

/// Remembers the ids of short pieces of text. A fixed number of slots (about 5 MB), each taken over by
/// the piece that came last, so it never grows. Safe to share between threads.
class PieceCache {
 public:
  /// Appends the ids of `piece`, if they are remembered. @param hash of the piece
  bool append(std::string_view piece, uint64_t hash, std::vector<TokenId>& out) const;

  /// Remembers the ids of `piece`. Long ones are not: they seldom come again.
  void store(std::string_view piece, uint64_t hash, std::span<const TokenId> ids);

 private:
  static constexpr std::size_t kLongestPiece = 30;  // bytes
  static constexpr std::size_t kMostIds = 8;
  static constexpr std::size_t kShards = 64;  // so that threads rarely wait for each other
  static constexpr std::size_t kSlotsPerShard = 1024;
  struct Slot {
    std::array<TokenId, kMostIds> ids;
    std::array<char, kLongestPiece> piece;
    uint8_t length = 0;  // of the piece; 0: free
    uint8_t count = 0;   // of the ids
  };
  struct Shard {
    std::mutex mutex;
    std::vector<Slot> slots;  // empty until something is stored
  };
  struct Place {
    Shard& shard;
    std::size_t slot;
  };
  Place place_of(uint64_t hash) const;

  mutable std::array<Shard, kShards> shards_;
};

}  // namespace saescope
