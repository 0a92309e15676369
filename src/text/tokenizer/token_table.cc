#include "text/tokenizer/token_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "text/tokenizer/byte_level.h"

namespace saescope {
namespace {

// The smallest power of two that leaves a quarter free.
std::size_t slots_for(std::size_t count) { return std::bit_ceil(16 + count + count / 3); }

}  // namespace

void TokenTable::reserve(std::size_t count) {
  spans_.reserve(count);
  arena_.reserve(count * 8);
  if (slots_for(count) > slots_.size()) grow(slots_for(count));
}

bool TokenTable::add(std::string_view bytes, TokenId id) {
  if (slots_for(count_ + 1) > slots_.size()) grow(slots_for(count_ * 2));
  const uint64_t hash = hash_bytes(bytes);
  Slot& slot = slots_[slot_of(bytes, hash)];
  if (slot.id != kNone) return false;
  slot = {key_of(bytes, hash), static_cast<uint32_t>(bytes.size()), id};
  ++count_;
  store(bytes, id);
  return true;
}

bool TokenTable::add_unreachable(std::string_view spelling, TokenId id) {
  if (!unreachable_.emplace(spelling, id).second) return false;
  store(spelling, id);
  return true;
}

TokenId TokenTable::find(std::string_view bytes, uint64_t hash) const {
  return slots_.empty() ? kNone : slots_[slot_of(bytes, hash)].id;
}

void TokenTable::prefetch(uint64_t hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
}

TokenId TokenTable::find_spelling(std::string_view spelling) const {
  if (spelling_ == TokenSpelling::kCharacters) return find(spelling);
  std::string bytes;
  if (append_spelled_bytes(spelling, bytes)) return find(bytes);
  const auto found = unreachable_.find(std::string(spelling));
  return found == unreachable_.end() ? kNone : found->second;
}

bool TokenTable::contains(TokenId id) const {
  const auto index = static_cast<std::size_t>(id);
  return id >= 0 && index < spans_.size() && spans_[index].offset != kNowhere;
}

std::string_view TokenTable::bytes(TokenId id) const {
  if (!contains(id)) return {};
  const Span& span = spans_[static_cast<std::size_t>(id)];
  return {arena_.data() + span.offset, span.length};
}

void TokenTable::store(std::string_view bytes, TokenId id) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= spans_.size()) spans_.resize(index + 1);
  spans_[index] = {arena_.size(), static_cast<uint32_t>(bytes.size())};
  arena_.append(bytes);
}

void TokenTable::grow(std::size_t slots) {
  const TableVector<Slot> before = std::exchange(slots_, TableVector<Slot>(slots));
  for (const Slot& slot : before) {
    if (slot.id == kNone) continue;
    const std::string_view token = bytes(slot.id);
    slots_[slot_of(token, hash_bytes(token))] = slot;
  }
}

TokenTable::Key TokenTable::key_of(std::string_view bytes, uint64_t hash) {
  Key key = {};
  if (bytes.size() > kInline) {
    key[0] = hash;
  } else if (!bytes.empty()) {
    std::memcpy(key.data(), bytes.data(), bytes.size());
  }
  return key;
}

// The slot that holds `bytes`, or the free one where they belong. Precondition: there are slots.
std::size_t TokenTable::slot_of(std::string_view bytes, uint64_t hash) const {
  const Key key = key_of(bytes, hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.id == kNone) return i;
    if (slot.key != key || slot.length != bytes.size()) continue;
    if (bytes.size() <= kInline || this->bytes(slot.id) == bytes) return i;
  }
}

}  // namespace saescope
