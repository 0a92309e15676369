#include "base/error.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {
namespace {

// Merges that are looked up together, so that what they read from the table arrives while others are
// prepared.
constexpr std::size_t kMostWaiting = 64;

}  // namespace

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
  bytes_.clear();
  const bool added =
      append_bytes(spelling, bytes_) ? tokens_.add(bytes_, token) : tokens_.add_unreachable(spelling, token);
  if (!added) {
    throw InputError(
        {.what = "a token stands twice in the vocabulary", .where = where_, .found = std::string(spelling)});
  }
}

void VocabularyBuilder::add_merge(std::string_view left, std::string_view right) {
  Waiting merge = {.begin = waiting_bytes_.size()};
  bool known = append_bytes(left, waiting_bytes_);
  merge.middle = waiting_bytes_.size();
  known = known && append_bytes(right, waiting_bytes_);
  merge.end = waiting_bytes_.size();
  if (!known) {
    throw InputError({.what = "a merge is not spelled in the byte-level alphabet",
                      .where = where_,
                      .found = std::string(left) + " " + std::string(right)});
  }
  const std::string_view whole = std::string_view(waiting_bytes_).substr(merge.begin);
  const auto hash_of = [&](std::string_view bytes) {
    const uint64_t hash = hash_bytes(bytes);
    tokens_.prefetch(hash);
    return hash;
  };
  merge.left_hash = hash_of(whole.substr(0, merge.middle - merge.begin));
  merge.right_hash = hash_of(whole.substr(merge.middle - merge.begin));
  merge.whole = guess_whole(whole);
  if (merge.whole == TokenTable::kNone) merge.whole_hash = hash_of(whole);
  waiting_.push_back(merge);
  if (waiting_.size() == kMostWaiting) look_up_waiting();
}

void VocabularyBuilder::add_merge(std::string_view pair) {
  constexpr std::string_view kComment = "#version";  // first line of the file merges once lived in
  if (pair.substr(0, kComment.size()) == kComment) return;
  const std::size_t space = pair.find(' ');
  if (space == std::string_view::npos || pair.find(' ', space + 1) != std::string_view::npos) {
    throw InputError({.what = "malformed merge",
                      .where = where_ + ", merge " + std::to_string(merges_.size() + waiting_.size() + 1),
                      .expected = "two tokens with one space between them",
                      .found = std::string(pair)});
  }
  add_merge(pair.substr(0, space), pair.substr(space + 1));
}

MergeTable VocabularyBuilder::merges() {
  look_up_waiting();
  return MergeTable(merges_);
}

bool VocabularyBuilder::append_bytes(std::string_view spelling, std::string& out) const {
  if (tokens_.spelling() == TokenSpelling::kBytes) return append_spelled_bytes(spelling, out);
  out.append(spelling);
  return true;
}

// Merges are mostly listed in the order of the tokens they give, which saves a look-up.
TokenId VocabularyBuilder::guess_whole(std::string_view bytes) {
  for (const TokenId guess : {last_whole_, last_whole_ + 1}) {
    if (tokens_.contains(guess) && tokens_.bytes(guess) == bytes) return last_whole_ = guess;
  }
  return TokenTable::kNone;
}

void VocabularyBuilder::look_up_waiting() {
  const std::string_view bytes = waiting_bytes_;
  for (const Waiting& merge : waiting_) {
    const std::string_view left = bytes.substr(merge.begin, merge.middle - merge.begin);
    const std::string_view right = bytes.substr(merge.middle, merge.end - merge.middle);
    const std::string_view whole = bytes.substr(merge.begin, merge.end - merge.begin);
    const bool guessed = merge.whole != TokenTable::kNone;
    merges_.push_back({require(left, merge.left_hash, merge), require(right, merge.right_hash, merge),
                       guessed ? merge.whole : require(whole, merge.whole_hash, merge)});
    last_whole_ = merges_.back().whole;
  }
  waiting_.clear();
  waiting_bytes_.clear();
}

TokenId VocabularyBuilder::require(std::string_view bytes, uint64_t hash, const Waiting& merge) const {
  const TokenId id = tokens_.find(bytes, hash);
  if (id != TokenTable::kNone) return id;
  const auto spelled = [&](std::string_view text) {
    return tokens_.spelling() == TokenSpelling::kBytes ? spell_bytes(text) : std::string(text);
  };
  const std::string_view all = waiting_bytes_;
  throw InputError({.what = "a merge names a token that is not in the vocabulary",
                    .where = where_ + ", merge \"" +
                             spelled(all.substr(merge.begin, merge.middle - merge.begin)) + " " +
                             spelled(all.substr(merge.middle, merge.end - merge.middle)) + "\"",
                    .found = spelled(bytes)});
}

}  // namespace saescope
