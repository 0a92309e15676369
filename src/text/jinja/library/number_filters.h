#pragma once

#include <span>

#include "text/jinja/library/filters.h"

namespace saescope::jinja {

/// Jinja's filters of numbers.
std::span<const FilterEntry> number_filters();

}  // namespace saescope::jinja
