#include "text/tokenizer/seams.h"

#include <bit>

#include "base/utf8.h"
#include "text/tokenizer/hash.h"

namespace saescope {

Seams::Seams(std::size_t tokens) : pairs_(std::bit_ceil(tokens / 4 + 16)) {}

void Seams::add(std::string_view token) {
  Utf8Char left = decode_utf8(token, 0);
  for (std::size_t pos = left.length; left.length != 0 && pos < token.size();) {
    const Utf8Char right = decode_utf8(token, pos);
    if (right.length == 0) return;  // no text has such bytes
    const std::size_t bit = bit_of(left.code_point, right.code_point);
    pairs_[bit / kBits] |= uint64_t{1} << (bit % kBits);
    left = right;
    pos += right.length;
  }
}

std::size_t Seams::word_end(std::string_view text, std::size_t begin) const {
  Utf8Char left = decode_utf8(text, begin);
  for (std::size_t pos = begin + left.length; pos < text.size();) {
    const Utf8Char right = decode_utf8(text, pos);
    if (!may_join(left.code_point, right.code_point)) return pos;
    left = right;
    pos += right.length;
  }
  return text.size();
}

std::size_t Seams::bit_of(char32_t left, char32_t right) const {
  return mix_bits((uint64_t{left} << 32) | right) & (pairs_.size() * kBits - 1);
}

bool Seams::may_join(char32_t left, char32_t right) const {
  const std::size_t bit = bit_of(left, right);
  return ((pairs_[bit / kBits] >> (bit % kBits)) & 1) != 0;
}

}  // namespace saescope
