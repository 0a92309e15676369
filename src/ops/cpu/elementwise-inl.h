// Operators on one row, once for each instruction set (see kernels.cc).
#if defined(SAESCOPE_OPS_CPU_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SAESCOPE_OPS_CPU_ELEMENTWISE_INL_H_
#undef SAESCOPE_OPS_CPU_ELEMENTWISE_INL_H_
#else
#define SAESCOPE_OPS_CPU_ELEMENTWISE_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ops/cpu/kernels.h"
#include "ops/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

/// Σ x² of a row: lanes first, then the rest, always in the same order.
HWY_INLINE float sum_of_squares(const float* x, std::size_t size) {
  const Floats d;
  Vec lanes[kParts];
  for (Vec& part : lanes) part = hn::Zero(d);
  std::size_t c = 0;
  for (; c + kLanes <= size; c += kLanes) {
    for (std::size_t i = 0; i < kParts; ++i) {
      const Vec v = hn::LoadU(d, x + c + i * kVecLanes);
      lanes[i] = hn::MulAdd(v, v, lanes[i]);
    }
  }
  float sum = sum_lanes(lanes);
  for (; c < size; ++c) sum = std::fma(x[c], x[c], sum);
  return sum;
}

template <typename T>
HWY_INLINE void scale_row(const float* x, const float* weight, float scale, std::size_t size, T* out) {
  const Floats d;
  const Vec scales = hn::Set(d, scale);
  std::size_t c = 0;
  for (; c + kVecLanes <= size; c += kVecLanes) {
    store(hn::Mul(hn::LoadU(d, weight + c), hn::Mul(hn::LoadU(d, x + c), scales)), out + c);
  }
  for (; c < size; ++c) store(weight[c] * (x[c] * scale), out + c);
}

HWY_INLINE void add_scaled_row(const float* x, const float* weight, float scale, std::size_t size,
                               float* out) {
  const Floats d;
  const Vec scales = hn::Set(d, scale);
  std::size_t c = 0;
  for (; c + kVecLanes <= size; c += kVecLanes) {
    const Vec scaled = hn::Mul(hn::LoadU(d, x + c), scales);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, weight + c), scaled, hn::LoadU(d, out + c)), d, out + c);
  }
  for (; c < size; ++c) out[c] = std::fma(weight[c], x[c] * scale, out[c]);
}

/// Kernels::rms_norm.
inline void rms_norm(const float* x, const float* weight, std::size_t size, float epsilon, RowOutput out,
                     Store mode) {
  const float mean = sum_of_squares(x, size) / static_cast<float>(size);
  const float scale = 1.0f / std::sqrt(mean + epsilon);
  if (mode == Store::kAdd) return add_scaled_row(x, weight, scale, size, out.f32);
  out.f32 != nullptr ? scale_row(x, weight, scale, size, out.f32)
                     : scale_row(x, weight, scale, size, out.bf16);
}

struct Silu {
  HWY_INLINE Vec operator()(Vec x) const {
    const Floats d;
    return hn::Div(x, hn::Add(hn::Set(d, 1.0f), exp(hn::Neg(x))));
  }
};

/// 0.5 · (1 + tanh u) is the logistic function of 2u, which loses no digits where tanh nears -1.
struct GeluTanh {
  HWY_INLINE Vec operator()(Vec x) const {
    constexpr float kTwiceRoot = 1.5957691216057308f;  // 2 · √(2/π)
    constexpr float kCubic = 0.044715f;
    const Floats d;
    const Vec square = hn::Mul(x, x);
    const Vec inner = hn::MulAdd(hn::Mul(square, hn::Set(d, kCubic)), x, x);
    const Vec exponent = hn::Neg(hn::Mul(inner, hn::Set(d, kTwiceRoot)));
    return hn::Div(x, hn::Add(hn::Set(d, 1.0f), exp(exponent)));
  }
};

template <typename Function, typename T>
HWY_INLINE void gate_row(const float* gate, const float* up, std::size_t size, T* out) {
  const Floats d;
  std::size_t c = 0;
  for (; c + kVecLanes <= size; c += kVecLanes) {
    store(hn::Mul(Function()(hn::LoadU(d, gate + c)), hn::LoadU(d, up + c)), out + c);
  }
  if (c == size) return;
  HWY_ALIGN float lanes[kVecLanes] = {};
  std::copy(gate + c, gate + size, lanes);
  hn::Store(Function()(hn::Load(d, lanes)), d, lanes);
  for (std::size_t i = 0; c < size; ++c, ++i) store(lanes[i] * up[c], out + c);
}

template <typename Function>
HWY_INLINE void gate_row_to(const float* gate, const float* up, std::size_t size, RowOutput out) {
  out.f32 != nullptr ? gate_row<Function>(gate, up, size, out.f32)
                     : gate_row<Function>(gate, up, size, out.bf16);
}

/// Kernels::glu.
inline void glu(GateFunction function, const float* gate, const float* up, std::size_t size, RowOutput out) {
  function == GateFunction::kSilu ? gate_row_to<Silu>(gate, up, size, out)
                                  : gate_row_to<GeluTanh>(gate, up, size, out);
}

/// Kernels::store.
inline void store_row(const float* values, std::size_t size, RowOutput out) {
  const Floats d;
  if (out.f32 != nullptr) {
    std::copy_n(values, size, out.f32);
    return;
  }
  std::size_t c = 0;
  for (; c + kVecLanes <= size; c += kVecLanes) store(hn::LoadU(d, values + c), out.bf16 + c);
  for (; c < size; ++c) store(values[c], out.bf16 + c);
}

/// Kernels::rotate. Pairs lie `step` apart, a pair's second number `partner` behind its first.
inline void rotate(float* head, const float* cosine, const float* sine, std::size_t half, RopeLayout layout) {
  const Floats d;
  const bool interleaved = layout == RopeLayout::kInterleaved;
  const std::size_t step = interleaved ? 2 : 1;
  const std::size_t partner = interleaved ? 1 : half;
  std::size_t i = 0;
  for (; !interleaved && i + kVecLanes <= half; i += kVecLanes) {
    const Vec first = hn::LoadU(d, head + i);
    const Vec second = hn::LoadU(d, head + half + i);
    const Vec c = hn::LoadU(d, cosine + i);
    const Vec s = hn::LoadU(d, sine + i);
    hn::StoreU(hn::NegMulAdd(second, s, hn::Mul(first, c)), d, head + i);
    hn::StoreU(hn::MulAdd(first, s, hn::Mul(second, c)), d, head + half + i);
  }
  for (; i < half; ++i) {
    const float first = head[i * step];
    const float second = head[i * step + partner];
    head[i * step] = std::fma(-second, sine[i], first * cosine[i]);
    head[i * step + partner] = std::fma(first, sine[i], second * cosine[i]);
  }
}

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
