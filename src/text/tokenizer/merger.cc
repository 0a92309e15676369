#include "text/tokenizer/merger.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace saescope {
namespace {

constexpr uint32_t kNowhere = ~uint32_t{0};
constexpr std::size_t kWindow = 256;   // units; the heap of such a window fits into the first-level cache
constexpr std::size_t kOverlaps = 16;  // a window shares its sixteenth part with the next one

// The first place at which two lists of tokens agree on the token before and the one behind it: indices of
// the latter.
struct Agreement {
  std::size_t before;
  std::size_t after;
};
std::optional<Agreement> find_agreement(const std::vector<MergedToken>& before,
                                        const std::vector<MergedToken>& after) {
  std::size_t i = 0;
  for (std::size_t j = 0; j + 1 < after.size(); ++j) {
    while (i < before.size() && before[i].begin < after[j].begin) ++i;
    if (i + 1 >= before.size()) return std::nullopt;
    // The second token must end at the same place as well.
    const bool same_end =
        i + 2 < before.size() && j + 2 < after.size() && before[i + 2].begin == after[j + 2].begin;
    if (before[i] == after[j] && before[i + 1] == after[j + 1] && same_end) return Agreement{i + 1, j + 1};
  }
  return std::nullopt;
}

// Where the window behind the one that ends at `end` is to begin: at the token behind which the overlap lies,
// unless that is so long that the next window would reach hardly farther than this one.
std::optional<uint32_t> restart_of(const std::vector<MergedToken>& tokens, std::size_t end,
                                   std::size_t window) {
  for (std::size_t i = tokens.size(); i-- > 1 && tokens[i].begin + window / 2 >= end;) {
    if (tokens[i].begin + window / kOverlaps <= end) return tokens[i].begin;
  }
  return std::nullopt;
}

}  // namespace

const std::vector<MergedToken>& Merger::run(std::span<const TokenId> units) {
  result_.clear();
  if (units.size() <= kWindow) {
    run_window(units, 0, result_);
  } else {
    run_windows(units);
  }
  return result_;
}

void Merger::run_windows(std::span<const TokenId> units) {
  const auto merge_from = [&](std::size_t begin, std::size_t size, std::vector<MergedToken>& out) {
    const std::size_t end = std::min(begin + size, units.size());
    out.clear();
    run_window(units.subspan(begin, end - begin), static_cast<uint32_t>(begin), out);
    return end;
  };
  std::vector<MergedToken> tokens;  // from a final place on
  std::vector<MergedToken> next;
  std::size_t window = kWindow;
  std::size_t end = merge_from(0, window, tokens);
  while (end < units.size()) {
    next.clear();
    const auto restart = restart_of(tokens, end, window);
    const std::size_t next_end = restart ? merge_from(*restart, window, next) : end;
    const auto agreement = find_agreement(tokens, next);
    if (agreement) {
      result_.insert(result_.end(), tokens.begin(),
                     tokens.begin() + static_cast<std::ptrdiff_t>(agreement->before));
      tokens.assign(next.begin() + static_cast<std::ptrdiff_t>(agreement->after), next.end());
      end = next_end;
      window = kWindow;
    } else {
      window *= 2;
      end = merge_from(tokens.front().begin, window, tokens);
    }
  }
  result_.insert(result_.end(), tokens.begin(), tokens.end());
}

void Merger::run_window(std::span<const TokenId> units, uint32_t begin, std::vector<MergedToken>& out) {
  fill(units);
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const uint64_t candidate = queue_.back();
    queue_.pop_back();
    const auto rank = static_cast<uint32_t>(candidate >> 32);
    const auto position = static_cast<uint32_t>(candidate);
    // The pair may give the same token by another merge by now, which the library takes for the queued one.
    const TokenId whole = symbols_[position].whole;
    if (whole != TokenTable::kNone && whole == merges_.whole(rank)) apply(position);
  }
  for (uint32_t i = 0; i < symbols_.size(); ++i) {
    if (symbols_[i].id != TokenTable::kNone) out.push_back({symbols_[i].id, begin + i});
  }
}

void Merger::fill(std::span<const TokenId> window) {
  symbols_.clear();
  queue_.clear();
  symbols_.reserve(window.size());
  const auto size = static_cast<uint32_t>(window.size());
  for (uint32_t i = 0; i < size; ++i) {
    const bool last = i + 1 == size;
    const Merge merge = last ? Merge() : merges_.find(window[i], window[i + 1]);
    symbols_.push_back({window[i], merge.id, i == 0 ? kNowhere : i - 1, last ? kNowhere : i + 1});
    if (merge.id != TokenTable::kNone) queue_.push_back((uint64_t{merge.rank} << 32) | i);
  }
  std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
}

// Merges the symbol at `position` with the next one.
void Merger::apply(uint32_t position) {
  Symbol& left = symbols_[position];
  Symbol& right = symbols_[left.next];
  left.id = left.whole;
  left.next = right.next;
  right.id = TokenTable::kNone;
  right.whole = TokenTable::kNone;
  if (left.next != kNowhere) symbols_[left.next].previous = position;
  if (left.previous != kNowhere) queue_pair(left.previous);
  queue_pair(position);
}

// Queues the merge of the symbol at `position` with the one after it, if there is one.
void Merger::queue_pair(uint32_t position) {
  Symbol& left = symbols_[position];
  const Merge merge = left.next == kNowhere ? Merge() : merges_.find(left.id, symbols_[left.next].id);
  left.whole = merge.id;
  if (merge.id == TokenTable::kNone) return;
  queue_.push_back((uint64_t{merge.rank} << 32) | position);
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

}  // namespace saescope
