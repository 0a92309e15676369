#pragma once

#include <string_view>

#include "text/jinja/library/methods.h"

namespace saescope::jinja {

/// The method of Python's `str`, or null.
Method find_string_method(std::string_view name);

}  // namespace saescope::jinja
