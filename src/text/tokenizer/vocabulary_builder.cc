#include "base/error.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {

void VocabularyBuilder::add_token(std::string_view spelling, uint64_t id) {
  if (id > static_cast<uint64_t>(TokenTable::kLargestId)) {
    throw InputError({.what = "token id out of range",
                      .where = where_ + ", token \"" + std::string(spelling) + "\"",
                      .expected = "at most " + std::to_string(TokenTable::kLargestId),
                      .found = std::to_string(id)});
  }
  const auto token = static_cast<TokenId>(id);
  if (tokens_.contains(token)) {
    throw InputError({.what = "two tokens have the same id",
                      .where = where_ + ", token \"" + std::string(spelling) + "\"",
                      .found = "id " + std::to_string(id)});
  }
  whole_.clear();
  const bool added = append_spelled_bytes(spelling, whole_) ? tokens_.add(whole_, token)
                                                            : tokens_.add_unreachable(spelling, token);
  if (!added) {
    throw InputError(
        {.what = "a token stands twice in the vocabulary", .where = where_, .found = std::string(spelling)});
  }
}

void VocabularyBuilder::add_merge(std::string_view left, std::string_view right) {
  left_.clear();
  bool known = append_spelled_bytes(left, left_);
  whole_ = left_;
  known = known && append_spelled_bytes(right, whole_);
  if (!known) {
    throw InputError({.what = "a merge is not spelled in the byte-level alphabet",
                      .where = where_,
                      .found = std::string(left) + " " + std::string(right),
                      .hint = "only byte-level BPE vocabularies are implemented"});
  }
  const std::string_view right_bytes = std::string_view(whole_).substr(left_.size());
  const TokenId left_id = require(tokens_.find(left_), left_, left, right);
  const TokenId right_id = require(tokens_.find(right_bytes), right_bytes, left, right);
  last_whole_ = require(find_whole(), whole_, left, right);
  const auto rank = static_cast<uint32_t>(merges_.size());
  merges_.push_back({left_id, right_id, {rank, last_whole_}});
}

// Merges are mostly listed in the order of the tokens they give, which saves a look-up.
TokenId VocabularyBuilder::find_whole() const {
  for (const TokenId guess : {last_whole_, last_whole_ + 1}) {
    if (tokens_.contains(guess) && tokens_.bytes(guess) == whole_) return guess;
  }
  return tokens_.find(whole_);
}

void VocabularyBuilder::add_merge(std::string_view pair) {
  constexpr std::string_view kComment = "#version";  // first line of the file merges once lived in
  if (pair.substr(0, kComment.size()) == kComment) return;
  const std::size_t space = pair.find(' ');
  if (space == std::string_view::npos || pair.find(' ', space + 1) != std::string_view::npos) {
    throw InputError({.what = "malformed merge",
                      .where = where_ + ", merge " + std::to_string(merges_.size() + 1),
                      .expected = "two tokens with one space between them",
                      .found = std::string(pair)});
  }
  add_merge(pair.substr(0, space), pair.substr(space + 1));
}

TokenId VocabularyBuilder::require(TokenId id, std::string_view bytes, std::string_view left,
                                   std::string_view right) const {
  if (id != TokenTable::kNone) return id;
  throw InputError({.what = "a merge names a token that is not in the vocabulary",
                    .where = where_ + ", merge \"" + std::string(left) + " " + std::string(right) + "\"",
                    .found = spell_bytes(bytes)});
}

}  // namespace saescope
