#pragma once

#include <span>

#include "text/jinja/library/filters.h"

namespace saescope::jinja {

/// Jinja's filters of texts.
std::span<const FilterEntry> text_filters();

}  // namespace saescope::jinja
