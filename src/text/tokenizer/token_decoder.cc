#include "text/tokenizer/token_decoder.h"

#include "text/tokenizer/bpe.h"
#include "text/tokenizer/text_replacement.h"

namespace saescope {

std::string TokenDecoder::text_of(std::string_view spelling) const {
  if (const auto byte = byte_fallback ? byte_of_token(spelling) : std::nullopt) {
    return std::string(1, static_cast<char>(*byte));
  }
  std::string text(spelling);
  for (const auto& [pattern, content] : replacements) text = replace_all(text, pattern, content);
  return text;
}

}  // namespace saescope
