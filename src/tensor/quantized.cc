#include "tensor/quantized.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "tensor/float16.h"

namespace saescope {
namespace {

// The blocks as ggml-common.h lays them out: bytes only, so that a block may lie at any address and
// needs no padding. Scales are binary16 in two bytes.
using HalfBytes = std::array<uint8_t, 2>;

float to_float(HalfBytes bytes) {
  Float16 value;
  std::memcpy(&value.bits, bytes.data(), sizeof(value.bits));
  return saescope::to_float(value);
}

struct BlockQ4_0 {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  std::array<uint8_t, 16> qs;
};

struct BlockQ4_1 {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  HalfBytes m;
  std::array<uint8_t, 16> qs;
};

struct BlockQ5_0 {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  std::array<uint8_t, 4> qh;  ///< bit j: the fifth bit of element j
  std::array<uint8_t, 16> qs;
};

struct BlockQ5_1 {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  HalfBytes m;
  std::array<uint8_t, 4> qh;
  std::array<uint8_t, 16> qs;
};

struct BlockQ8_0 {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  std::array<int8_t, 32> qs;
};

struct BlockQ2_K {
  static constexpr std::size_t kElements = 256;
  std::array<uint8_t, 16>
      scales;                  ///< of 16 elements each: the scale in the low nibble, the minimum in the high
  std::array<uint8_t, 64> qs;  ///< four elements a byte
  HalfBytes d;
  HalfBytes dmin;
};

struct BlockQ3_K {
  static constexpr std::size_t kElements = 256;
  std::array<uint8_t, 32> hmask;  ///< bit g of byte j: whether element 32 g + j is not lowered by 4
  std::array<uint8_t, 64> qs;
  std::array<uint8_t, 12> scales;  ///< 16 of 6 bits
  HalfBytes d;
};

struct BlockQ4_K {
  static constexpr std::size_t kElements = 256;
  HalfBytes d;
  HalfBytes dmin;
  std::array<uint8_t, 12> scales;  ///< 8 scales and 8 minima of 6 bits
  std::array<uint8_t, 128> qs;
};

struct BlockQ5_K {
  static constexpr std::size_t kElements = 256;
  HalfBytes d;
  HalfBytes dmin;
  std::array<uint8_t, 12> scales;
  std::array<uint8_t, 32> qh;  ///< bit g of byte j: the fifth bit of element 32 g + j
  std::array<uint8_t, 128> qs;
};

struct BlockQ6_K {
  static constexpr std::size_t kElements = 256;
  std::array<uint8_t, 128> ql;
  std::array<uint8_t, 64> qh;
  std::array<int8_t, 16> scales;
  HalfBytes d;
};

struct BlockIQ4_NL {
  static constexpr std::size_t kElements = 32;
  HalfBytes d;
  std::array<uint8_t, 16> qs;
};

struct BlockIQ4_XS {
  static constexpr std::size_t kElements = 256;
  HalfBytes d;
  std::array<uint8_t, 2> scales_h;  ///< two upper bits of each of the 8 scales
  std::array<uint8_t, 4> scales_l;  ///< four lower bits
  std::array<uint8_t, 128> qs;
};

struct BlockMXFP4 {
  static constexpr std::size_t kElements = 32;
  uint8_t e;  ///< the scale's exponent (E8M0)
  std::array<uint8_t, 16> qs;
};

/// What the nibbles of IQ4 stand for.
constexpr std::array<int8_t, 16> kIq4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
/// What the nibbles of MXFP4 stand for (E2M1), doubled.
constexpr std::array<int8_t, 16> kMxfp4Values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Nibbles of 32-element blocks: the low ones are elements 0..15, the high ones 16..31.

void expand(const BlockQ4_0& block, float* __restrict out) {
  const float d = to_float(block.d);
  for (std::size_t j = 0; j < 16; ++j) out[j] = d * static_cast<float>((block.qs[j] & 0xF) - 8);
  for (std::size_t j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>((block.qs[j] >> 4) - 8);
}

void expand(const BlockQ4_1& block, float* __restrict out) {
  const float d = to_float(block.d);
  const float m = to_float(block.m);
  for (std::size_t j = 0; j < 16; ++j) out[j] = d * static_cast<float>(block.qs[j] & 0xF) + m;
  for (std::size_t j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>(block.qs[j] >> 4) + m;
}

/// The 32 five-bit numbers of a Q5 block.
std::array<int32_t, 32> five_bits(const std::array<uint8_t, 4>& high, const std::array<uint8_t, 16>& low) {
  uint32_t bits = 0;
  std::memcpy(&bits, high.data(), sizeof(bits));
  std::array<int32_t, 32> values;
  for (uint32_t j = 0; j < 16; ++j) {
    values[j] = static_cast<int32_t>((low[j] & 0xFu) | (((bits >> j) & 1u) << 4));
  }
  for (uint32_t j = 0; j < 16; ++j) {
    values[j + 16] = static_cast<int32_t>((uint32_t{low[j]} >> 4) | (((bits >> (j + 16)) & 1u) << 4));
  }
  return values;
}

void expand(const BlockQ5_0& block, float* __restrict out) {
  const float d = to_float(block.d);
  const std::array<int32_t, 32> q = five_bits(block.qh, block.qs);
  for (std::size_t j = 0; j < 32; ++j) out[j] = d * static_cast<float>(q[j] - 16);
}

void expand(const BlockQ5_1& block, float* __restrict out) {
  const float d = to_float(block.d);
  const float m = to_float(block.m);
  const std::array<int32_t, 32> q = five_bits(block.qh, block.qs);
  for (std::size_t j = 0; j < 32; ++j) out[j] = d * static_cast<float>(q[j]) + m;
}

void expand(const BlockQ8_0& block, float* __restrict out) {
  const float d = to_float(block.d);
  for (std::size_t j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.qs[j]);
}

/// Scale and minimum of the 8 groups of 32 elements of a Q4_K or Q5_K block.
struct GroupScales {
  std::array<float, 8> scale;
  std::array<float, 8> minimum;
};

/// The twelve bytes hold, for groups 0..3, the scales' six bits in bytes 0..3 and the minima's in 4..7; for
/// groups 4..7 four bits each in bytes 8..11 and the upper two in the upper bits of bytes 0..7.
GroupScales unpack_scales(const std::array<uint8_t, 12>& packed, float d, float dmin) {
  GroupScales groups;
  for (std::size_t g = 0; g < 4; ++g) {
    const uint32_t s = packed[g];
    const uint32_t m = packed[g + 4];
    const uint32_t both = packed[g + 8];
    groups.scale[g] = d * static_cast<float>(s & 0x3Fu);
    groups.minimum[g] = dmin * static_cast<float>(m & 0x3Fu);
    groups.scale[g + 4] = d * static_cast<float>((both & 0xFu) | ((s >> 2) & 0x30u));
    groups.minimum[g + 4] = dmin * static_cast<float>((both >> 4) | ((m >> 2) & 0x30u));
  }
  return groups;
}

void expand(const BlockQ4_K& block, float* __restrict out) {
  const GroupScales groups = unpack_scales(block.scales, to_float(block.d), to_float(block.dmin));
  for (std::size_t g = 0; g < 8; ++g) {
    const uint8_t* q = block.qs.data() + g / 2 * 32;
    const int shift = g % 2 == 0 ? 0 : 4;
    const float d = groups.scale[g];
    const float m = groups.minimum[g];
    float* group = out + g * 32;
    for (std::size_t j = 0; j < 32; ++j) {
      group[j] = d * static_cast<float>((q[j] >> shift) & 0xF) - m;
    }
  }
}

void expand(const BlockQ5_K& block, float* __restrict out) {
  const GroupScales groups = unpack_scales(block.scales, to_float(block.d), to_float(block.dmin));
  for (std::size_t g = 0; g < 8; ++g) {
    const uint8_t* q = block.qs.data() + g / 2 * 32;
    const int shift = g % 2 == 0 ? 0 : 4;
    const float d = groups.scale[g];
    const float m = groups.minimum[g];
    float* group = out + g * 32;
    for (std::size_t j = 0; j < 32; ++j) {
      const int value = ((q[j] >> shift) & 0xF) | (((block.qh[j] >> g) & 1) << 4);
      group[j] = d * static_cast<float>(value) - m;
    }
  }
}

/// Two halves of 128 elements; each has four groups of 32 that share 64 low bytes (groups 0 and 1
/// in the low nibbles, 2 and 3 in the high ones) and 32 bytes of two upper bits per group.
void expand(const BlockQ6_K& block, float* __restrict out) {
  const float d = to_float(block.d);
  std::array<float, 16> scales;
  for (std::size_t s = 0; s < 16; ++s) scales[s] = d * static_cast<float>(block.scales[s]);
  for (std::size_t g = 0; g < 8; ++g) {
    const std::size_t half = g / 4;
    const std::size_t part = g % 4;
    const uint8_t* low = block.ql.data() + half * 64 + part % 2 * 32;
    const uint8_t* high = block.qh.data() + half * 32;
    const int low_shift = part < 2 ? 0 : 4;
    const int high_shift = static_cast<int>(part) * 2;
    for (std::size_t s = 0; s < 2; ++s) {
      const float scale = scales[g * 2 + s];
      float* group = out + g * 32 + s * 16;
      for (std::size_t j = 0; j < 16; ++j) {
        const int value =
            ((low[s * 16 + j] >> low_shift) & 0xF) | (((high[s * 16 + j] >> high_shift) & 3) << 4);
        group[j] = scale * static_cast<float>(value - 32);
      }
    }
  }
}

/// Elements 0 … 15 are the low nibbles, 16 … 31 the high ones.
void expand_table(const uint8_t* nibbles, const std::array<int8_t, 16>& values, float scale,
                  float* __restrict out) {
  for (std::size_t j = 0; j < 16; ++j) out[j] = scale * static_cast<float>(values[nibbles[j] & 0xFu]);
  for (std::size_t j = 0; j < 16; ++j) out[j + 16] = scale * static_cast<float>(values[nibbles[j] >> 4]);
}

void expand(const BlockIQ4_NL& block, float* __restrict out) {
  expand_table(block.qs.data(), kIq4Values, to_float(block.d), out);
}

void expand(const BlockIQ4_XS& block, float* __restrict out) {
  const float d = to_float(block.d);
  const uint32_t high = block.scales_h[0] | uint32_t{block.scales_h[1]} << 8;
  for (std::size_t g = 0; g < 8; ++g) {
    const uint32_t low = (uint32_t{block.scales_l[g / 2]} >> (g % 2 * 4)) & 0xFu;
    const auto scale = static_cast<int32_t>(low | ((high >> (2 * g)) & 3u) << 4) - 32;
    expand_table(block.qs.data() + g * 16, kIq4Values, d * static_cast<float>(scale), out + g * 32);
  }
}

void expand(const BlockMXFP4& block, float* __restrict out) {
  // Half of 2^(e - 127), since the values are doubled; below e = 2 that is subnormal.
  const uint32_t bits = block.e < 2 ? 0x00200000u << block.e : (uint32_t{block.e} - 1) << 23;
  float scale = 0;
  std::memcpy(&scale, &bits, sizeof(scale));
  expand_table(block.qs.data(), kMxfp4Values, scale, out);
}

/// Two bits of an element: two halves of 128 elements, each with four groups of 32 that share 32 bytes.
int two_bits(const std::array<uint8_t, 64>& qs, std::size_t group, std::size_t j) {
  return (qs[group / 4 * 32 + j] >> (group % 4 * 2)) & 3;
}

void expand(const BlockQ2_K& block, float* __restrict out) {
  const float d = to_float(block.d);
  const float dmin = to_float(block.dmin);
  for (std::size_t i = 0; i < 256; ++i) {
    const uint8_t packed = block.scales[i / 16];
    const float scale = d * static_cast<float>(packed & 0xF);
    const float minimum = dmin * static_cast<float>(packed >> 4);
    out[i] = scale * static_cast<float>(two_bits(block.qs, i / 32, i % 32)) - minimum;
  }
}

/// The sixteen scales of six bits: four low bits in bytes 0 … 7 (of 8 … 15 in the high nibbles), the upper
/// two in bytes 8 … 11, two bits for each fourth scale.
std::array<float, 16> unpack_signed_scales(const std::array<uint8_t, 12>& packed, float d) {
  std::array<float, 16> scales;
  for (std::size_t s = 0; s < 16; ++s) {
    const uint32_t low = (uint32_t{packed[s % 8]} >> (s / 8 * 4)) & 0xFu;
    const uint32_t high = (uint32_t{packed[8 + s % 4]} >> (s / 4 * 2)) & 3u;
    scales[s] = d * static_cast<float>(static_cast<int32_t>(low | high << 4) - 32);
  }
  return scales;
}

void expand(const BlockQ3_K& block, float* __restrict out) {
  const std::array<float, 16> scales = unpack_signed_scales(block.scales, to_float(block.d));
  for (std::size_t i = 0; i < 256; ++i) {
    const int kept = (block.hmask[i % 32] >> (i / 32)) & 1;
    const int value = two_bits(block.qs, i / 32, i % 32) - (kept == 1 ? 0 : 4);
    out[i] = scales[i / 16] * static_cast<float>(value);
  }
}

template <typename Block>
void expand_blocks(const std::byte* source, std::size_t elements, float* destination) {
  static_assert(alignof(Block) == 1);
  for (std::size_t i = 0; i < elements / Block::kElements; ++i) {
    Block block;
    std::memcpy(&block, source + i * sizeof(Block), sizeof(Block));
    expand(block, destination + i * Block::kElements);
  }
}

template <typename T>
void widen(const std::byte* source, std::size_t elements, float* __restrict destination) {
  for (std::size_t i = 0; i < elements; ++i) {
    T value;
    std::memcpy(&value, source + i * sizeof(T), sizeof(T));
    destination[i] = saescope::to_float(value);
  }
}

}  // namespace

void dequantize(DType dtype, const std::byte* source, std::size_t elements, float* destination) {
  switch (dtype) {
    case DType::kF32:
      std::memcpy(destination, source, elements * sizeof(float));
      return;
    case DType::kF16:
      return widen<Float16>(source, elements, destination);
    case DType::kBF16:
      return widen<BFloat16>(source, elements, destination);
    case DType::kQ4_0:
      return expand_blocks<BlockQ4_0>(source, elements, destination);
    case DType::kQ4_1:
      return expand_blocks<BlockQ4_1>(source, elements, destination);
    case DType::kQ5_0:
      return expand_blocks<BlockQ5_0>(source, elements, destination);
    case DType::kQ5_1:
      return expand_blocks<BlockQ5_1>(source, elements, destination);
    case DType::kQ8_0:
      return expand_blocks<BlockQ8_0>(source, elements, destination);
    case DType::kQ2_K:
      return expand_blocks<BlockQ2_K>(source, elements, destination);
    case DType::kQ3_K:
      return expand_blocks<BlockQ3_K>(source, elements, destination);
    case DType::kIQ4_NL:
      return expand_blocks<BlockIQ4_NL>(source, elements, destination);
    case DType::kIQ4_XS:
      return expand_blocks<BlockIQ4_XS>(source, elements, destination);
    case DType::kMXFP4:
      return expand_blocks<BlockMXFP4>(source, elements, destination);
    case DType::kQ4_K:
      return expand_blocks<BlockQ4_K>(source, elements, destination);
    case DType::kQ5_K:
      return expand_blocks<BlockQ5_K>(source, elements, destination);
    case DType::kQ6_K:
      return expand_blocks<BlockQ6_K>(source, elements, destination);
    case DType::kI64:
    case DType::kI32:
    case DType::kBool:
      break;
  }
  throw std::logic_error("dequantize: not a floating dtype");
}

}  // namespace saescope
