#include "text/tokenizer/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/utf8.h"
#include "text/tokenizer/hash.h"
#include "text/tokenizer/merger.h"

namespace saescope {

/// What merging starts from, in the order of the library.
struct BpeModel::Units {
  std::vector<TokenId> ids = {};
  std::vector<std::size_t>* ends = nullptr;  ///< if given: where in the word each one ends

  void append(TokenId id, std::size_t end) {
    ids.push_back(id);
    if (ends != nullptr) ends->push_back(end);
  }
};

std::string byte_token_spelling(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

std::optional<unsigned char> byte_of_token(std::string_view spelling) {
  unsigned value = 0;
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling.back() != '>') return std::nullopt;
  const auto [end, error] = std::from_chars(spelling.data() + 3, spelling.data() + 5, value, 16);
  if (error != std::errc() || end != spelling.data() + 5) return std::nullopt;
  return static_cast<unsigned char>(value);
}

BpeModel::BpeModel(TokenTable tokens, MergeTable merges, BpeOptions options)
    : tokens_(std::move(tokens)),
      merges_(std::move(merges)),
      options_(options),
      cache_(std::make_unique<PieceCache>()) {
  const bool of_bytes = tokens_.spelling() == TokenSpelling::kBytes;
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[byte] = of_bytes ? tokens_.find({&c, 1})
                      : options_.byte_fallback
                          ? tokens_.find(byte_token_spelling(static_cast<unsigned char>(c)))
                          : TokenTable::kNone;
  }
  if (!is_cut_into_words()) return;
  seams_.emplace(tokens_.count());
  for (std::size_t id = 0; id < tokens_.size(); ++id) seams_->add(tokens_.bytes(static_cast<TokenId>(id)));
}

// A piece of a byte-level vocabulary is a word already. One of characters may be a whole document; it falls
// into words where a unit is the text that its token is spelled as, or a byte that no merge knows.
bool BpeModel::is_cut_into_words() const {
  if (tokens_.spelling() == TokenSpelling::kBytes || !options_.byte_fallback) return false;
  const bool complete = std::find(byte_ids_.begin(), byte_ids_.end(), TokenTable::kNone) == byte_ids_.end();
  return complete && !merges_.name_any_of(byte_ids_);
}

void BpeModel::encode(std::string_view piece, std::vector<TokenId>& out,
                      std::vector<std::size_t>* ends) const {
  if (options_.ignore_merges) {
    const TokenId id = tokens_.find(piece);
    if (id != TokenTable::kNone) {
      out.push_back(id);
      if (ends != nullptr) ends->push_back(piece.size());
      return;
    }
  }
  for (std::size_t begin = 0; begin < piece.size();) {
    const std::size_t end = seams_ ? seams_->word_end(piece, begin) : piece.size();
    encode_word(piece.substr(begin, end - begin), begin, out, ends);
    begin = end;
  }
}

// @param offset of the word in its piece
void BpeModel::encode_word(std::string_view word, std::size_t offset, std::vector<TokenId>& out,
                           std::vector<std::size_t>* ends) const {
  if (ends != nullptr) {
    merge(word, offset, out, ends);
    return;
  }
  const uint64_t hash = hash_bytes(word);
  if (cache_->append(word, hash, out)) return;
  const std::size_t size_before = out.size();
  merge(word, offset, out, nullptr);
  cache_->store(word, hash, {out.data() + size_before, out.size() - size_before});
}

void BpeModel::merge(std::string_view word, std::size_t offset, std::vector<TokenId>& out,
                     std::vector<std::size_t>* ends) const {
  std::vector<std::size_t> unit_ends;
  Units units = {.ends = ends == nullptr ? nullptr : &unit_ends};
  append_units(word, units);
  Merger merger(merges_);
  const std::vector<MergedToken>& tokens = merger.run(units.ids);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    out.push_back(tokens[i].id);
    if (ends == nullptr) continue;
    const bool last = i + 1 == tokens.size();
    ends->push_back(offset + (last ? word.size() : unit_ends[tokens[i + 1].begin - 1]));
  }
}

// The library's BPE::merge_word: an unknown unit is held back until it is known whether the next one joins
// it, and bytes of a character without a token overtake it.
void BpeModel::append_units(std::string_view word, Units& units) const {
  const bool of_bytes = tokens_.spelling() == TokenSpelling::kBytes;
  units.ids.reserve(word.size());
  bool held_back = false;
  for (std::size_t pos = 0; pos < word.size();) {
    const std::size_t length = of_bytes ? 1 : std::max<std::size_t>(decode_utf8(word, pos).length, 1);
    const std::string_view unit = word.substr(pos, length);
    const TokenId id = of_bytes ? byte_ids_[static_cast<unsigned char>(unit.front())] : tokens_.find(unit);
    if (id != TokenTable::kNone) {
      if (held_back) units.append(*options_.unknown, pos);
      held_back = false;
      units.append(id, pos + length);
    } else if (of_bytes || !append_fallback(unit, pos, units)) {
      if (held_back && !options_.fuse_unknown) units.append(*options_.unknown, pos);
      held_back = options_.unknown.has_value();
    }
    pos += length;
  }
  if (held_back) units.append(*options_.unknown, word.size());
}

// The tokens of the bytes of the character at `pos`. @return false where one is missing
bool BpeModel::append_fallback(std::string_view character, std::size_t pos, Units& units) const {
  const auto id_of = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
  if (std::any_of(character.begin(), character.end(),
                  [&](char c) { return id_of(c) == TokenTable::kNone; })) {
    return false;
  }
  for (std::size_t i = 0; i < character.size(); ++i) units.append(id_of(character[i]), pos + i + 1);
  return true;
}

}  // namespace saescope
