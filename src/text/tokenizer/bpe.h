#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/merge_table.h"
#include "text/tokenizer/piece_cache.h"
#include "text/tokenizer/seams.h"
#include "text/tokenizer/token_table.h"

namespace saescope {

/// How byte-pair encoding departs from its plain form.
struct BpeOptions {
  bool ignore_merges = false;                     ///< a piece that is a token is that token, merges or not
  std::optional<TokenId> unknown = std::nullopt;  ///< stands for what has no token; else that vanishes
  bool fuse_unknown = false;                      ///< a run of such bytes or characters gives `unknown` once
  /// Of characters: one without a token becomes its bytes' tokens (`<0xE2>`), where all of them exist.
  bool byte_fallback = false;
};

/// The token that a vocabulary of characters has for a byte, as it is spelled: `<0x0A>`.
std::string byte_token_spelling(unsigned char byte);

/// The byte that a token spelled `<0x0A>` stands for; nothing for any other spelling.
std::optional<unsigned char> byte_of_token(std::string_view spelling);

/// Byte-pair encoding (the class BPE of the Python library), over bytes or over characters as the vocabulary
/// is spelled. Immutable but for a cache, and safe to share between threads.
class BpeModel {
 public:
  BpeModel(TokenTable tokens, MergeTable merges, BpeOptions options);

  /// Appends the ids of one piece of pre-tokenised text, a whole document perhaps. The time is proportional
  /// to its length unless its merges depend on each other over long distances; then it is O(n log n).
  /// @param ends if given, receives where in `piece` the bytes of each id end; what vanishes belongs to the
  /// id
  ///        after it, or to the last one
  void encode(std::string_view piece, std::vector<TokenId>& out,
              std::vector<std::size_t>* ends = nullptr) const;

  const TokenTable& tokens() const { return tokens_; }

 private:
  struct Units;
  bool is_cut_into_words() const;
  void encode_word(std::string_view word, std::size_t offset, std::vector<TokenId>& out,
                   std::vector<std::size_t>* ends) const;
  void append_units(std::string_view word, Units& units) const;
  bool append_fallback(std::string_view character, std::size_t pos, Units& units) const;
  void merge(std::string_view word, std::size_t offset, std::vector<TokenId>& out,
             std::vector<std::size_t>* ends) const;

  TokenTable tokens_;
  MergeTable merges_;
  BpeOptions options_;
  std::array<TokenId, 256> byte_ids_;  // of the bytes, or of the tokens for bytes
  std::optional<Seams> seams_;         // where a piece is cut into words; nothing: not at all
  std::unique_ptr<PieceCache> cache_;
};

}  // namespace saescope
