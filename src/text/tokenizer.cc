#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {

struct Tokenizer::Impl {
  TokenizerParts parts;

  // Encodes a stretch in which all added tokens have been found.
  void encode_text(std::string_view text, PreTokenizer::Pieces& pieces, std::vector<TokenId>& ids) const {
    parts.pre_tokenizer.split(text, pieces);
    for (const TextRange& piece : pieces.ranges) {
      parts.model.encode(pieces.text.substr(piece.begin, piece.end - piece.begin), ids);
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::from_tokenizer_json(std::string_view json, const std::string& where) {
  return Tokenizer(std::make_unique<const Impl>(Impl{parse_tokenizer_json(json, where)}));
}

Tokenizer Tokenizer::from_gguf(const GgufVocabulary& vocabulary, const std::string& where) {
  return Tokenizer(std::make_unique<const Impl>(Impl{parse_gguf_vocabulary(vocabulary, where)}));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw InputError(
        {.what = "a text to tokenise is not valid UTF-8", .where = "byte " + std::to_string(bad)});
  }
  const TokenizerParts& parts = impl_->parts;
  std::vector<TokenId> ids;
  PreTokenizer::Pieces pieces;
  std::string normalised;
  for (const Segment& segment : parts.added_tokens.split(text, false)) {
    if (segment.token) {
      ids.push_back(*segment.token);
      continue;
    }
    std::string_view view = segment.text;
    if (!parts.normalizer.is_identity()) {
      normalised = parts.normalizer.apply(view);
      view = normalised;
    }
    for (const Segment& part : parts.added_tokens.split(view, true)) {
      if (part.token) {
        ids.push_back(*part.token);
      } else {
        impl_->encode_text(part.text, pieces, ids);
      }
    }
  }
  return ids;
}

std::string Tokenizer::token_bytes(TokenId id) const {
  if (const AddedToken* added = impl_->parts.added_tokens.token(id)) return added->content;
  return std::string(impl_->parts.model.tokens().bytes(id));
}

std::string Tokenizer::decode(const std::vector<TokenId>& ids) const {
  std::string bytes;
  for (const TokenId id : ids) bytes += token_bytes(id);
  return bytes;
}

std::size_t Tokenizer::size() const {
  return std::max(impl_->parts.added_tokens.size(), impl_->parts.model.tokens().size());
}

std::optional<TokenId> Tokenizer::find(std::string_view content) const {
  if (const auto added = impl_->parts.added_tokens.find(content)) return added;
  const TokenId id = impl_->parts.model.tokens().find_spelling(content);
  if (id == TokenTable::kNone) return std::nullopt;
  return id;
}

}  // namespace saescope
