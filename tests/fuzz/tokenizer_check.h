#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "fuzz_target.h"
#include "text/tokenizer.h"

namespace saescope::testing {

/// Encodes texts with a tokenizer that was accepted, some of ours and the fuzzer's own.
inline void check_tokenizer(const Tokenizer& tokenizer, std::string_view fuzzers_text) {
  // What pre-tokenizers and normalisers treat apart: letters, marks, digits, spaces, punctuation,
  // characters of one to four bytes, and a stretch on which a bad pattern backtracks.
  const std::array<std::string_view, 4> texts = {
      "Hello, World's 1234 \u00BD\u0663 tests!\r\n\t  x \n\n",
      "caf\u00E9 cafe\u0301 \u212B \u4E2D\u6587\u3000\u00A0 \U0001F600\u200D\U0001F600 <|endoftext|> <s>",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!   11111111111111111111111",
      fuzzers_text.substr(0, find_invalid_utf8(fuzzers_text))};
  for (const std::string_view text : texts) {
    const std::vector<TokenId> ids = tokenizer.encode(text);
    for (const TokenId id : ids) require(id >= 0 && static_cast<std::size_t>(id) < tokenizer.size());
    tokenizer.decode(ids);
    const std::vector<std::string_view> parts = tokenizer.token_texts(text);
    require(parts.size() == ids.size());
    std::size_t joined = 0;
    for (const std::string_view part : parts) {
      require(part.data() == text.data() + joined);
      require(find_invalid_utf8(part) == std::string_view::npos);
      joined += part.size();
    }
    require(ids.empty() || joined == text.size());
  }
}

}  // namespace saescope::testing
