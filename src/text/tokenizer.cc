#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {

struct Tokenizer::Impl {
  TokenizerParts parts;

  /// Ids of a text.
  struct Encoded {
    std::vector<TokenId> ids;
    std::vector<std::size_t>* ends = nullptr;  ///< if given: where in the text each id's part ends
    PreTokenizer::Pieces pieces = {};          ///< scratch
  };

  /// Leads an offset of a changed text back to the original.
  static std::size_t original_offset(std::size_t offset, const std::vector<OffsetMap>& origins) {
    for (auto map = origins.rbegin(); map != origins.rend(); ++map) offset = (*map)(offset);
    return offset;
  }

  // Encodes a stretch in which all added tokens have been found.
  template <typename ToText>
  void encode_text(std::string_view text, Encoded& out, const ToText& to_text) const {
    PreTokenizer::Pieces& pieces = out.pieces;
    parts.pre_tokenizer.split(text, to_text(0) == 0, pieces);
    std::vector<std::size_t> ends;
    for (const TextRange& piece : pieces.ranges) {
      const std::string_view content = pieces.text.substr(piece.begin, piece.end - piece.begin);
      ends.clear();
      parts.model.encode(content, out.ids, out.ends == nullptr ? nullptr : &ends);
      for (const std::size_t end : ends) {
        out.ends->push_back(to_text(original_offset(piece.begin + end, pieces.origins)));
      }
    }
  }

  // Encodes a stretch of the text at `offset` in which the added tokens of the original text have been found.
  void encode_original(std::string_view text, std::size_t offset, Encoded& out) const {
    std::string normalised;
    std::vector<OffsetMap> origins;
    std::string_view view = text;
    if (!parts.normalizer.is_identity()) {
      normalised = parts.normalizer.apply(text, out.ends == nullptr ? nullptr : &origins);
      view = normalised;
    }
    const auto to_text = [&](std::size_t end) { return offset + original_offset(end, origins); };
    for (const Segment& part : parts.added_tokens.split(view, true)) {
      if (part.token) {
        out.ids.push_back(*part.token);
        if (out.ends != nullptr) out.ends->push_back(to_text(part.end));
      } else {
        encode_text(part.text, out, [&](std::size_t end) { return to_text(part.begin + end); });
      }
    }
  }

  void encode(std::string_view text, Encoded& out) const {
    for (const Segment& segment : parts.added_tokens.split(text, false)) {
      if (segment.token) {
        out.ids.push_back(*segment.token);
        if (out.ends != nullptr) out.ends->push_back(segment.end);
      } else {
        encode_original(segment.text, segment.begin, out);
      }
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::from_tokenizer_json(std::string_view json, const std::string& where,
                                         const TokenizerSetup& setup) {
  return Tokenizer(std::make_unique<const Impl>(Impl{parse_tokenizer_json(json, where, setup)}));
}

Tokenizer Tokenizer::from_vocabulary_files(std::string_view vocab, std::string_view merges,
                                           const std::string& where, const TokenizerSetup& setup) {
  return Tokenizer(std::make_unique<const Impl>(Impl{parse_vocabulary_files(vocab, merges, where, setup)}));
}

bool Tokenizer::tokens_join_to_text() const {
  return !impl_->parts.normalizer.rewrites() && !impl_->parts.pre_tokenizer.rewrites();
}

const std::string& Tokenizer::remark() const { return impl_->parts.remark; }

Tokenizer Tokenizer::from_gguf(const GgufVocabulary& vocabulary, const std::string& where) {
  return Tokenizer(std::make_unique<const Impl>(Impl{parse_gguf_vocabulary(vocabulary, where)}));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw InputError(
        {.what = "a text to tokenise is not valid UTF-8", .where = "byte " + std::to_string(bad)});
  }
  Impl::Encoded encoded;
  impl_->encode(text, encoded);
  return std::move(encoded.ids);
}

std::vector<std::string_view> Tokenizer::token_texts(std::string_view text) const {
  std::vector<std::size_t> ends;
  Impl::Encoded encoded = {{}, &ends};
  impl_->encode(text, encoded);
  if (!ends.empty()) ends.back() = text.size();  // what a pre-tokenizer leaves out at the end
  std::vector<std::string_view> texts;
  std::size_t begin = 0;
  for (const std::size_t token_end : ends) {
    const std::size_t end = character_start(text, token_end);
    texts.push_back(text.substr(begin, std::max(end, begin) - begin));
    begin = std::max(end, begin);
  }
  return texts;
}

std::string Tokenizer::token_bytes(TokenId id) const {
  if (const AddedToken* added = impl_->parts.added_tokens.token(id)) return added->content;
  return impl_->parts.decoder.text_of(impl_->parts.model.tokens().bytes(id));
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
