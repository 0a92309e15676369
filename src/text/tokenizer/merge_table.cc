#include "text/tokenizer/merge_table.h"

#include <algorithm>
#include <array>
#include <bit>

#include "text/tokenizer/hash.h"

namespace saescope {

MergeTable::MergeTable(const std::vector<Entry>& entries)
    : slots_(std::bit_ceil(16 + entries.size() + entries.size() / 3)), wholes_(entries.size()) {
  constexpr std::size_t kAhead = 16;  // slots are fetched this many entries before they are written
  std::array<uint64_t, kAhead> pairs{};
  for (std::size_t i = 0; i < entries.size() + kAhead; ++i) {
    if (i >= kAhead) {
      const std::size_t rank = i - kAhead;
      const uint64_t pair = pairs[i % kAhead];
      slots_[slot_of(pair)] = {pair, {static_cast<uint32_t>(rank), entries[rank].whole}};
      wholes_[rank] = entries[rank].whole;
    }
    if (i < entries.size()) {
      pairs[i % kAhead] = pair_of(entries[i].left, entries[i].right);
      __builtin_prefetch(&slots_[mix_bits(pairs[i % kAhead]) & (slots_.size() - 1)], 1);
    }
  }
}

Merge MergeTable::find(TokenId left, TokenId right) const {
  return slots_[slot_of(pair_of(left, right))].merge;
}

bool MergeTable::name_any_of(std::span<const TokenId> ids) const {
  std::vector<bool> sought(
      ids.empty() ? 0 : static_cast<std::size_t>(*std::max_element(ids.begin(), ids.end())) + 1);
  for (const TokenId id : ids) sought[static_cast<std::size_t>(id)] = true;
  const auto is_sought = [&](uint64_t id) { return id < sought.size() && sought[id]; };
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.pair != kEmpty &&
           (is_sought(slot.pair >> 32) || is_sought(static_cast<uint32_t>(slot.pair)) ||
            is_sought(static_cast<uint64_t>(slot.merge.id)));
  });
}

uint64_t MergeTable::pair_of(TokenId left, TokenId right) {
  return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
}

std::size_t MergeTable::slot_of(uint64_t pair) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = mix_bits(pair) & mask;
  while (slots_[i].pair != kEmpty && slots_[i].pair != pair) i = (i + 1) & mask;
  return i;
}

}  // namespace saescope
