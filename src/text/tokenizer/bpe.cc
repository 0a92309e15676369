#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "text/tokenizer/hash.h"

namespace saescope {
namespace {

constexpr uint32_t kNowhere = ~uint32_t{0};

// One token of a piece while it is being merged: a node of a doubly linked list.
struct Symbol {
  TokenId id = TokenTable::kNone;  // kNone once merged into its left neighbour
  uint32_t previous = kNowhere;
  uint32_t next = kNowhere;
};

// A merge that was possible when it was queued.
struct Candidate {
  uint64_t order = 0;  // rank, then position: the lowest is done first, the leftmost among equals
  TokenId id = TokenTable::kNone;

  static Candidate of(Merge merge, uint32_t position) {
    return {(uint64_t{merge.rank} << 32) | position, merge.id};
  }
  uint32_t position() const { return static_cast<uint32_t>(order); }
  bool operator<(const Candidate& other) const { return order > other.order; }  // a min-heap
};

class Merger {
 public:
  explicit Merger(const MergeTable& merges) : merges_(merges) {}

  void start(std::size_t capacity) {
    symbols_.clear();
    queue_.clear();
    symbols_.reserve(capacity);
  }

  void append(TokenId id) {
    const auto position = static_cast<uint32_t>(symbols_.size());
    const uint32_t previous = position == 0 ? kNowhere : position - 1;
    if (position != 0) symbols_.back().next = position;
    symbols_.push_back({id, previous, kNowhere});
  }

  void run() {
    for (uint32_t i = 0; i + 1 < symbols_.size(); ++i) {
      const Merge merge = merges_.find(symbols_[i].id, symbols_[i + 1].id);
      if (merge.id != TokenTable::kNone) queue_.push_back(Candidate::of(merge, i));
    }
    std::make_heap(queue_.begin(), queue_.end());
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end());
      const Candidate candidate = queue_.back();
      queue_.pop_back();
      if (is_still_possible(candidate)) apply(candidate);
    }
  }

  void append_ids_to(std::vector<TokenId>& out) const {
    for (const Symbol& symbol : symbols_) {
      if (symbol.id != TokenTable::kNone) out.push_back(symbol.id);
    }
  }

 private:
  bool is_still_possible(const Candidate& candidate) const {
    const Symbol& left = symbols_[candidate.position()];
    if (left.id == TokenTable::kNone || left.next == kNowhere) return false;
    return merges_.find(left.id, symbols_[left.next].id).id == candidate.id;
  }

  void apply(const Candidate& candidate) {
    Symbol& left = symbols_[candidate.position()];
    Symbol& right = symbols_[left.next];
    left.id = candidate.id;
    left.next = right.next;
    right.id = TokenTable::kNone;
    if (left.next != kNowhere) symbols_[left.next].previous = candidate.position();
    if (left.previous != kNowhere) queue_pair(left.previous);
    queue_pair(candidate.position());
  }

  // Queues the merge of the symbol at `position` with the one after it, if there is one.
  void queue_pair(uint32_t position) {
    const Symbol& left = symbols_[position];
    if (left.next == kNowhere) return;
    const Merge merge = merges_.find(left.id, symbols_[left.next].id);
    if (merge.id == TokenTable::kNone) return;
    queue_.push_back(Candidate::of(merge, position));
    std::push_heap(queue_.begin(), queue_.end());
  }

  const MergeTable& merges_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> queue_;
};

}  // namespace

MergeTable::MergeTable(const std::vector<Entry>& entries)
    : slots_(std::bit_ceil(16 + entries.size() + entries.size() / 3)) {
  for (const Entry& entry : entries) {
    const uint64_t pair = pair_of(entry.left, entry.right);
    slots_[slot_of(pair)] = {pair, entry.merge};
  }
}

Merge MergeTable::find(TokenId left, TokenId right) const {
  return slots_[slot_of(pair_of(left, right))].merge;
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

BpeModel::BpeModel(TokenTable tokens, MergeTable merges, BpeOptions options)
    : tokens_(std::move(tokens)),
      merges_(std::move(merges)),
      options_(options),
      cache_(std::make_unique<PieceCache>()) {
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[byte] = tokens_.find({&c, 1});
  }
}

void BpeModel::encode(std::string_view piece, std::vector<TokenId>& out) const {
  if (options_.ignore_merges) {
    const TokenId id = tokens_.find(piece);
    if (id != TokenTable::kNone) {
      out.push_back(id);
      return;
    }
  }
  const uint64_t hash = hash_bytes(piece);
  if (cache_->append(piece, hash, out)) return;
  const std::size_t size_before = out.size();
  merge(piece, out);
  cache_->store(piece, hash, {out.data() + size_before, out.size() - size_before});
}

void BpeModel::merge(std::string_view piece, std::vector<TokenId>& out) const {
  Merger merger(merges_);
  merger.start(piece.size());
  bool after_unknown = false;
  for (const char c : piece) {
    const TokenId id = byte_ids_[static_cast<unsigned char>(c)];
    const bool unknown = id == TokenTable::kNone;
    if (!unknown) {
      merger.append(id);
    } else if (options_.unknown && !(after_unknown && options_.fuse_unknown)) {
      merger.append(*options_.unknown);
    }
    after_unknown = unknown;
  }
  merger.run();
  merger.append_ids_to(out);
}

}  // namespace saescope
