#include "tensor/finite.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace saescope {

std::optional<std::size_t> find_not_finite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7F800000;
  // One pass without branches first, which the compiler makes vector code of: nearly always all are finite.
  uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<uint32_t>(value) & kExponent);
  if (largest != kExponent) return std::nullopt;
  const auto found =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  return static_cast<std::size_t>(found - values.begin());
}

}  // namespace saescope
