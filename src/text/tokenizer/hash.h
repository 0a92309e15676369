#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace saescope {

/// Spreads 64 bits: the high and low half of a 128-bit product, folded.
inline uint64_t mix_bits(uint64_t value) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(value ^ 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// Up to 8 bytes as one number. Precondition: bytes.size() ≤ 8.
inline uint64_t pack_bytes(std::string_view bytes) {
  uint64_t word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  return word;
}

/// Hash of a short byte string, for tables in memory only (the value depends on the byte order).
inline uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0xA0761D6478BD642Full;
  while (bytes.size() > 8) {
    hash = mix_bits(hash ^ pack_bytes(bytes.substr(0, 8)));
    bytes.remove_prefix(8);
  }
  return mix_bits(hash ^ pack_bytes(bytes));
}

}  // namespace saescope
