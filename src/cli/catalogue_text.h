#pragma once

#include <string_view>

namespace saescope {

/// The text of `catalogue.toml`; the definition is made of that file when the program is built.
extern const std::string_view kCatalogueText;

}  // namespace saescope
