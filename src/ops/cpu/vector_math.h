#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/float16.h"

namespace saescope {

/// Sixteen floats: one AVX-512 register; the compiler splits it where registers are narrower.
typedef float Vec16 __attribute__((vector_size(64)));
typedef int32_t IntVec16 __attribute__((vector_size(64)));

inline constexpr std::size_t kLanes = 16;

inline Vec16 load16(const float* p) {
  Vec16 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store16(float* p, Vec16 v) { std::memcpy(p, &v, sizeof v); }

inline Vec16 splat(float value) { return Vec16{} + value; }

/// The sum of the lanes, always in the same order.
inline float sum_lanes(Vec16 v) {
  float sum = 0;
  for (std::size_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

inline float max_lane(Vec16 v) {
  float top = v[0];
  for (std::size_t i = 1; i < kLanes; ++i) top = v[i] > top ? v[i] : top;
  return top;
}

inline Vec16 max16(Vec16 a, Vec16 b) { return a > b ? a : b; }

/// e^x within 2 ulp; exactly 1 at 0, exactly 0 below -87.3 (and at -inf), +inf above 88.72.
/// Range reduction by ln 2 in two parts and the degree-6 Taylor–Horner polynomial on [-ln2/2, ln2/2].
inline Vec16 exp16(Vec16 x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRoundMagic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  constexpr float kSmallest = -87.3f;
  constexpr float kLargest = 88.72f;
  const IntVec16 too_small = x < kSmallest;
  const IntVec16 too_large = x > kLargest;
  const Vec16 clamped = too_small ? splat(kSmallest) : (too_large ? splat(kLargest) : x);
  const Vec16 n = (clamped * kLog2E + kRoundMagic) - kRoundMagic;
  const Vec16 r = (clamped - n * kLn2High) - n * kLn2Low;
  Vec16 poly = splat(1.0f / 5040);
  poly = poly * r + 1.0f / 720;
  poly = poly * r + 1.0f / 120;
  poly = poly * r + 1.0f / 24;
  poly = poly * r + 1.0f / 6;
  poly = poly * r + 0.5f;
  poly = poly * r + 1.0f;
  poly = poly * r + 1.0f;
  // 2^n in two factors: n = 128 has no float32 of its own.
  const IntVec16 exponent = __builtin_convertvector(n, IntVec16);
  const IntVec16 half = exponent >> 1;
  Vec16 first;
  Vec16 second;
  const IntVec16 first_bits = (half + 127) << 23;
  const IntVec16 second_bits = (exponent - half + 127) << 23;
  std::memcpy(&first, &first_bits, sizeof first);
  std::memcpy(&second, &second_bits, sizeof second);
  const Vec16 result = poly * first * second;
  const Vec16 infinity = splat(std::numeric_limits<float>::infinity());
  return too_small ? Vec16{} : (too_large ? infinity : result);
}

}  // namespace saescope
