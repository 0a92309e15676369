#include "engine/prompt_tokens.h"

#include <algorithm>

namespace saescope {

void TokenizedPrompts::add(const PromptTokens& prompt) {
  const auto [first_other, unused] =
      std::mismatch(prompt.ids.begin(), prompt.ids.end(), last_.begin(), last_.end());
  ids_.insert(ids_.end(), first_other, prompt.ids.end());
  taps_.insert(taps_.end(), prompt.taps.begin(), prompt.taps.end());
  entries_.push_back({prompt.prompt_idx, static_cast<uint32_t>(first_other - prompt.ids.begin()),
                      static_cast<uint32_t>(prompt.ids.end() - first_other),
                      static_cast<uint32_t>(prompt.taps.size())});
  last_ = prompt.ids;
  longest_ = std::max(longest_, prompt.ids.size());
  total_tokens_ += prompt.ids.size();
}

TokenizedPrompts::Reader::Reader(const TokenizedPrompts& prompts) : prompts_(&prompts) {
  if (!done()) load();
}

void TokenizedPrompts::Reader::advance() {
  ++index_;
  if (!done()) load();
}

void TokenizedPrompts::Reader::load() {
  const Entry& entry = prompts_->entries_[index_];
  const std::span ids = std::span(prompts_->ids_).subspan(next_id_, entry.own);
  const std::span taps = std::span(prompts_->taps_).subspan(next_tap_, entry.taps);
  current_.prompt_idx = entry.prompt_idx;
  current_.ids.resize(entry.shared);
  current_.ids.insert(current_.ids.end(), ids.begin(), ids.end());
  current_.taps.assign(taps.begin(), taps.end());
  next_id_ += entry.own;
  next_tap_ += entry.taps;
}

}  // namespace saescope
