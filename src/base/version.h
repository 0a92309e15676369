#pragma once

#include <string_view>

namespace saescope {

/// The version of CMakeLists.txt's project(); options_test holds the two together.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace saescope
