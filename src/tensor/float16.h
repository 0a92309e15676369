#pragma once

#include <bit>
#include <cstdint>

namespace saescope {

/// bfloat16: the upper half of an IEEE float32.
struct BFloat16 {
  uint16_t bits = 0;
};

/// IEEE 754 binary16.
struct Float16 {
  uint16_t bits = 0;
};

inline float to_float(float value) { return value; }

inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

/// Exact: every binary16 value, subnormals and NaNs included, is a float32.
/// Arithmetic in place of comparisons, so that loops over it become vector code: compilers turn a
/// comparison back into a branch around the multiplication.
inline float to_float(Float16 value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  const uint32_t magnitude = value.bits & 0x7FFFu;
  const uint32_t is_normal = (magnitude + 0x7C00u) >> 15;     // 1 where the exponent is not 0
  const uint32_t is_not_finite = (magnitude + 0x400u) >> 15;  // 1 where the exponent is 31
  const float subnormal = static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f;
  // The exponent's bias grows from 15 to 127; twice that step takes 31 to 255.
  const uint32_t normal = (magnitude << 13) + (1u + is_not_finite) * (112u << 23);
  const uint32_t mask = 0u - is_normal;
  return std::bit_cast<float>(sign | (normal & mask) | (std::bit_cast<uint32_t>(subnormal) & ~mask));
}

/// Round to nearest even, as PyTorch's float32 → bfloat16; NaN stays NaN.
inline BFloat16 to_bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
}

}  // namespace saescope
