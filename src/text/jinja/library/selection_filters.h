#pragma once

#include <span>

#include "text/jinja/library/filters.h"

namespace saescope::jinja {

/// Jinja's filters of the items that a test or an attribute chooses.
std::span<const FilterEntry> selection_filters();

}  // namespace saescope::jinja
