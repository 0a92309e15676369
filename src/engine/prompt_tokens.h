#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace saescope {

/// A prompt of a run, ready for a model.
struct PromptTokens {
  std::size_t prompt_idx = 0;
  std::vector<TokenId> ids;
  std::vector<int32_t> taps;  ///< index into ids for each token type of the run
};

/// A model's prompts in their order. Of each only the ids that differ from the prompt before are kept: a chat
/// template begins all of them alike, and there may be a great many.
class TokenizedPrompts {
 public:
  void add(const PromptTokens& prompt);

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::size_t longest() const { return longest_; }  ///< tokens of the longest prompt
  std::size_t total_tokens() const { return total_tokens_; }

  /// Walks through the prompts, which must outlive it and stay as they are; a copy goes on from where it was
  /// made.
  class Reader {
   public:
    explicit Reader(const TokenizedPrompts& prompts);
    bool done() const { return index_ == prompts_->size(); }
    std::size_t position() const { return index_; }  ///< prompts before the current one
    /// Precondition: not done.
    const PromptTokens& current() const { return current_; }
    void advance();

   private:
    void load();
    const TokenizedPrompts* prompts_;
    std::size_t index_ = 0;
    std::size_t next_id_ = 0;
    std::size_t next_tap_ = 0;
    PromptTokens current_;
  };

 private:
  struct Entry {
    std::size_t prompt_idx;
    uint32_t shared;  ///< leading ids that the prompt before has, too
    uint32_t own;     ///< ids behind them, in ids_
    uint32_t taps;    ///< in taps_
  };
  std::vector<Entry> entries_;
  std::vector<TokenId> ids_;
  std::vector<int32_t> taps_;
  std::vector<TokenId> last_;  ///< ids of the last prompt
  std::size_t longest_ = 0;
  std::size_t total_tokens_ = 0;
};

}  // namespace saescope
