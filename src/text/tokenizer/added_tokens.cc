#include "text/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/unicode_tables.h"

namespace saescope {
namespace {

// The code point that ends at `end`; nothing at the text's start.
Utf8Char decode_before(std::string_view text, std::size_t end) {
  if (end == 0) return {};
  return decode_utf8(text, character_start(text, end - 1));
}

std::size_t skip_space_backward(std::string_view text, std::size_t end) {
  for (;;) {
    const Utf8Char c = decode_before(text, end);
    if (c.length == 0 || !unicode::is_space(c.code_point)) return end;
    end -= c.length;
  }
}

std::size_t skip_space_forward(std::string_view text, std::size_t begin) {
  for (;;) {
    const Utf8Char c = decode_utf8(text, begin);
    if (c.length == 0 || !unicode::is_space(c.code_point)) return begin;
    begin += c.length;
  }
}

bool is_word_char(const Utf8Char& c) { return c.length != 0 && unicode::is_word(c.code_point); }

}  // namespace

void TextMatcher::add(std::string_view pattern, TokenId id) {
  if (pattern.empty()) return;
  uint32_t node = 0;
  for (const char c : pattern) {
    const auto next = static_cast<uint32_t>(nodes_.size());
    const auto [child, inserted] = nodes_[node].children.try_emplace(c, next);
    node = child->second;
    if (inserted) nodes_.emplace_back();
  }
  nodes_[node].id = id;
  if (first_bytes_.find(pattern.front()) == std::string::npos) {
    first_bytes_.push_back(pattern.front());
  }
}

std::optional<TextMatcher::Match> TextMatcher::find(std::string_view text, std::size_t from) const {
  for (;; ++from) {
    from = text.find_first_of(first_bytes_, from);
    if (from == std::string_view::npos) return std::nullopt;
    if (const auto match = longest_at(text, from)) return match;
  }
}

std::optional<TextMatcher::Match> TextMatcher::longest_at(std::string_view text, std::size_t begin) const {
  std::optional<Match> longest;
  uint32_t node = 0;
  for (std::size_t pos = begin; pos < text.size(); ++pos) {
    const auto child = nodes_[node].children.find(text[pos]);
    if (child == nodes_[node].children.end()) break;
    node = child->second;
    if (nodes_[node].id) longest = Match{begin, pos + 1, *nodes_[node].id};
  }
  return longest;
}

void check_added_tokens(const std::map<TokenId, AddedToken>& tokens, const std::string& where) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  std::size_t bytes = 0;
  for (const auto& [id, token] : tokens) {
    bytes += token.content.size();
    // One that begins or ends inside a character would cut texts there, and what is left is not UTF-8.
    if (find_invalid_utf8(token.content) == std::string::npos) continue;
    throw InputError({.what = "an added token is not valid UTF-8", .where = where, .found = token.content});
  }
  if (bytes <= kMostBytes) return;
  throw InputError({.what = "the added tokens are too long",
                    .where = where,
                    .expected = "at most " + std::to_string(kMostBytes) + " bytes together",
                    .found = std::to_string(bytes) + " bytes"});
}

AddedTokens::AddedTokens(std::map<TokenId, AddedToken> tokens, const Normalizer& normalizer)
    : tokens_(std::move(tokens)) {
  for (const auto& [id, token] : tokens_) {
    ids_[token.content] = id;
    if (token.normalized) {
      normalized_.add(normalizer.apply(token.content), id);
    } else {
      original_.add(token.content, id);
    }
  }
}

std::vector<Segment> AddedTokens::split(std::string_view text, bool normalized) const {
  const TextMatcher& matcher = normalized ? normalized_ : original_;
  if (matcher.empty()) return {{text, std::nullopt, 0, text.size()}};
  std::vector<Segment> segments;
  std::size_t done = 0;  // text before this is in `segments`
  std::size_t from = 0;  // the search goes on behind the token itself, stripped space included in it
  while (const auto match = matcher.find(text, from)) {
    from = match->end;
    const AddedToken& token = tokens_.at(match->id);
    const bool inside_word =
        is_word_char(decode_before(text, match->begin)) || is_word_char(decode_utf8(text, match->end));
    if (token.single_word && inside_word) continue;
    const std::size_t begin =
        token.lstrip ? std::max(skip_space_backward(text, match->begin), done) : match->begin;
    if (done < begin) segments.push_back({text.substr(done, begin - done), std::nullopt, done, begin});
    done = token.rstrip ? skip_space_forward(text, match->end) : match->end;
    segments.push_back({{}, match->id, begin, done});
  }
  if (done < text.size()) segments.push_back({text.substr(done), std::nullopt, done, text.size()});
  return segments;
}

std::optional<TokenId> AddedTokens::find(std::string_view content) const {
  const auto found = ids_.find(std::string(content));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const AddedToken* AddedTokens::token(TokenId id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::size_t AddedTokens::size() const {
  return tokens_.empty() ? 0 : static_cast<std::size_t>(tokens_.rbegin()->first) + 1;
}

}  // namespace saescope
