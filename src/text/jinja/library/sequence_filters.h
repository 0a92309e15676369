#pragma once

#include <span>

#include "text/jinja/library/filters.h"

namespace saescope::jinja {

/// Jinja's filters of sequences.
std::span<const FilterEntry> sequence_filters();

}  // namespace saescope::jinja
