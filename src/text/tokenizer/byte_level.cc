#include "text/tokenizer/byte_level.h"

#include <array>
#include <cstddef>

#include "base/utf8.h"

namespace saescope {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  static constexpr std::size_t kSize = 0x144;  // the last character is U+0143
  std::array<char32_t, 256> character{};
  std::array<int16_t, kSize> byte{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (int16_t& byte : alphabet.byte) byte = -1;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char32_t character = stands_for_itself(byte) ? byte : next++;
    alphabet.character[byte] = character;
    alphabet.byte[character] = static_cast<int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

bool append_spelled_bytes(std::string_view spelling, std::string& out) {
  const std::size_t size_before = out.size();
  for (std::size_t pos = 0; pos < spelling.size();) {
    const Utf8Char c = decode_utf8(spelling, pos);
    if (c.length == 0 || c.code_point >= Alphabet::kSize || kAlphabet.byte[c.code_point] < 0) {
      out.resize(size_before);
      return false;
    }
    out.push_back(static_cast<char>(kAlphabet.byte[c.code_point]));
    pos += c.length;
  }
  return true;
}

std::string spell_bytes(std::string_view bytes) {
  std::string spelling;
  for (const char byte : bytes) {
    append_utf8(spelling, kAlphabet.character[static_cast<unsigned char>(byte)]);
  }
  return spelling;
}

}  // namespace saescope
