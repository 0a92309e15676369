#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace saescope {

/// What a token of a vocabulary of characters stands for in the text: the library's decoders, as far as they
/// look at one token alone. (Strip takes a space from the beginning of a whole text.)
struct TokenDecoder {
  std::vector<std::pair<std::string, std::string>> replacements = {};  ///< of texts, in this order
  bool byte_fallback = false;                                          ///< `<0x0A>` is a line end

  std::string text_of(std::string_view spelling) const;
};

}  // namespace saescope
