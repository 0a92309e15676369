#include "ops/cpu/rope_table.h"

#include <algorithm>
#include <cmath>

namespace saescope {
namespace {

struct Angle {
  double cosine, sine;
};

/// Horner's scheme with fused multiply-add, the highest power first.
template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double sum = 0;
  for (const double coefficient : coefficients) sum = std::fma(sum, x, coefficient);
  return sum;
}

/// Within a few ulp of float64 for angles below 2^20: the quarter turns are taken off with π/2 in two parts
/// (Cody & Waite 1980), which leaves [-π/4, π/4] for the Taylor polynomials.
Angle cosine_and_sine(double angle) {
  constexpr double kHalfPi = 0x1.921fb54442d18p+0;
  constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;
  constexpr double kQuarterTurns = 0x1.45f306dc9c883p-1;  // 2 / π
  constexpr double kSine[] = {-1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880,
                              -1.0 / 5040,          1.0 / 120,        -1.0 / 6};
  constexpr double kCosine[] = {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
                                1.0 / 40320,          -1.0 / 720,         1.0 / 24,        -0.5};
  const double turns = std::nearbyint(angle * kQuarterTurns);
  const double r = std::fma(-turns, kHalfPiRest, std::fma(-turns, kHalfPi, angle));
  const double square = r * r;
  const double sine = std::fma(r * square, polynomial(kSine, square), r);
  const double cosine = std::fma(square, polynomial(kCosine, square), 1.0);
  switch (static_cast<int64_t>(turns) & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace

void RopeTable::prepare(const RopeFrequencies& frequencies, int32_t max_position) {
  const auto rows = static_cast<std::size_t>(max_position) + 1;
  const std::size_t half = frequencies.inverse.size();
  if (!holds(frequencies)) {
    inverse_ = frequencies.inverse;
    magnitude_ = frequencies.magnitude;
    cosine_.clear();
    sine_.clear();
  }
  const std::size_t have = cosine_.size() / half;
  if (have >= rows) return;
  const std::size_t want = std::max(rows, 2 * have);
  cosine_.resize(want * half);
  sine_.resize(want * half);
  for (std::size_t position = have; position < want; ++position) {
    for (std::size_t i = 0; i < half; ++i) {
      // The angle is a float32 product, as in transformers: at large positions its rounding shows.
      const Angle angle = cosine_and_sine(static_cast<float>(position) * inverse_[i]);
      cosine_[position * half + i] = static_cast<float>(angle.cosine) * magnitude_;
      sine_[position * half + i] = static_cast<float>(angle.sine) * magnitude_;
    }
  }
}

const RopeTable& RopeTables::find(const RopeFrequencies& frequencies, int32_t max_position) {
  auto table = std::find_if(tables_.begin(), tables_.end(),
                            [&](const RopeTable& known) { return known.holds(frequencies); });
  if (table == tables_.end()) table = tables_.emplace(tables_.end());
  table->prepare(frequencies, max_position);
  return *table;
}

}  // namespace saescope
