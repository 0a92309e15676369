#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace saescope {

/// Which token of a rendered prompt a token type reads: the last token of this text in the generation
/// prompt, or the token this far from the end of the sequence (−1: the last one).
using TokenPlace = std::variant<std::string, int64_t>;

struct TokenType {
  std::string name;
  TokenPlace place;
  bool operator==(const TokenType&) const = default;
};

}  // namespace saescope
