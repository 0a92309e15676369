#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace saescope {

/// Index of the first NaN or infinity.
std::optional<std::size_t> find_not_finite(std::span<const float> values);

}  // namespace saescope
