// Vectors of the kernels, once for each instruction set (see kernels.cc).
#if defined(SAESCOPE_OPS_CPU_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SAESCOPE_OPS_CPU_LANES_INL_H_
#undef SAESCOPE_OPS_CPU_LANES_INL_H_
#else
#define SAESCOPE_OPS_CPU_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "tensor/float16.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

static_assert(HWY_NATIVE_FMA == 1, "results are defined with fused multiply-add");

/// Sums over a row are defined with sixteen lanes. A register holds them, or several registers do: the same
/// bits come out.
inline constexpr std::size_t kLanes = 16;
using Floats = hn::CappedTag<float, kLanes>;
using Vec = hn::Vec<Floats>;
inline constexpr std::size_t kVecLanes = hn::MaxLanes(Floats());
inline constexpr std::size_t kParts = kLanes / kVecLanes;

/// The sum of sixteen lanes, always in the same order.
HWY_INLINE float sum_lanes(const Vec (&parts)[kParts]) {
  const Floats d;
  HWY_ALIGN float lanes[kLanes];
  for (std::size_t i = 0; i < kParts; ++i) hn::Store(parts[i], d, lanes + i * kVecLanes);
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

HWY_INLINE void store(Vec values, float* out) { hn::StoreU(values, Floats(), out); }

/// Rounds as to_bfloat16 does.
HWY_INLINE void store(Vec values, BFloat16* out) {
  const hn::RebindToUnsigned<Floats> du;
  const hn::RebindToSigned<Floats> di;
  const hn::Rebind<uint16_t, Floats> halves;
  const auto bits = hn::BitCast(du, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFF))));
  const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40));
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(values));
  hn::StoreU(hn::DemoteTo(halves, hn::BitCast(di, hn::IfThenElse(is_nan, quiet, rounded))), halves,
             reinterpret_cast<uint16_t*>(out));
}

HWY_INLINE void store(float value, float* out) { *out = value; }
HWY_INLINE void store(float value, BFloat16* out) { *out = to_bfloat16(value); }

/// e^x within 2 ulp; exactly 1 at 0, exactly 0 below -87.3 (and at -inf), +inf above 88.72.
/// Range reduction by ln 2 in two parts and the degree-7 Taylor–Horner polynomial on [-ln2/2, ln2/2].
HWY_INLINE Vec exp(Vec x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRoundMagic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  constexpr float kCoefficients[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const Vec smallest = hn::Set(d, -87.3f);
  const Vec largest = hn::Set(d, 88.72f);
  const auto too_small = hn::Lt(x, smallest);
  const auto too_large = hn::Gt(x, largest);
  const Vec clamped = hn::IfThenElse(too_small, smallest, hn::IfThenElse(too_large, largest, x));
  const Vec magic = hn::Set(d, kRoundMagic);
  const Vec n = hn::Sub(hn::MulAdd(clamped, hn::Set(d, kLog2E), magic), magic);
  const Vec r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), hn::NegMulAdd(n, hn::Set(d, kLn2High), clamped));
  Vec poly = hn::Set(d, 1.0f / 5040);
  for (const float coefficient : kCoefficients) poly = hn::MulAdd(poly, r, hn::Set(d, coefficient));
  // 2^n in two factors: n = 128 has no float32 of its own.
  const auto bias = hn::Set(di, 127);
  const auto exponent = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(exponent);
  const auto rest = hn::Sub(exponent, half);
  const Vec first = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const Vec second = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(rest, bias)));
  const Vec result = hn::Mul(hn::Mul(poly, first), second);
  const Vec infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  return hn::IfThenZeroElse(too_small, hn::IfThenElse(too_large, infinity, result));
}

/// tanh x within a few ulp: near 0 the odd polynomial of Cephes' tanhf, elsewhere 1 - 2 / (e^2x + 1) on |x|.
HWY_INLINE Vec tanh(Vec x) {
  constexpr float kNear = 0.625f;
  constexpr float kCoefficients[] = {2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                                     -3.33332819422e-1f};
  const Floats d;
  const Vec square = hn::Mul(x, x);
  Vec poly = hn::Set(d, -5.70498872745e-3f);
  for (const float coefficient : kCoefficients) poly = hn::MulAdd(poly, square, hn::Set(d, coefficient));
  const Vec near = hn::MulAdd(hn::Mul(poly, square), x, x);
  const Vec size = hn::Abs(x);
  const Vec one = hn::Set(d, 1.0f);
  const Vec far = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(exp(hn::Add(size, size)), one)));
  return hn::IfThenElse(hn::Lt(size, hn::Set(d, kNear)), near, hn::CopySign(far, x));
}

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
