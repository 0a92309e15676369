#include "text/tokenizer/piece_cache.h"

#include <algorithm>

namespace saescope {

PieceCache::Place PieceCache::place_of(uint64_t hash) const {
  return {shards_[hash % kShards], (hash / kShards) % kSlotsPerShard};
}

bool PieceCache::append(std::string_view piece, uint64_t hash, std::vector<TokenId>& out) const {
  if (piece.empty() || piece.size() > kLongestPiece) return false;
  const Place place = place_of(hash);
  const std::lock_guard lock(place.shard.mutex);
  if (place.shard.slots.empty()) return false;
  const Slot& slot = place.shard.slots[place.slot];
  if (std::string_view(slot.piece.data(), slot.length) != piece) return false;
  out.insert(out.end(), slot.ids.begin(), slot.ids.begin() + slot.count);
  return true;
}

void PieceCache::store(std::string_view piece, uint64_t hash, std::span<const TokenId> ids) {
  if (piece.empty() || piece.size() > kLongestPiece || ids.size() > kMostIds) return;
  const Place place = place_of(hash);
  const std::lock_guard lock(place.shard.mutex);
  if (place.shard.slots.empty()) place.shard.slots.resize(kSlotsPerShard);
  Slot& slot = place.shard.slots[place.slot];
  std::copy(piece.begin(), piece.end(), slot.piece.begin());
  std::copy(ids.begin(), ids.end(), slot.ids.begin());
  slot.length = static_cast<uint8_t>(piece.size());
  slot.count = static_cast<uint8_t>(ids.size());
}

}  // namespace saescope
