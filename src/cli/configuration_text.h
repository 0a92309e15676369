#pragma once

#include <string>
#include <string_view>

namespace saescope {

/// Refuses TOML that the library cannot be trusted with: it takes several hundred bytes for a value, and
/// tables that keys such as a.b.c nest in each other are taken apart by recursion.
/// @param file for messages
/// @throws InputError where the text is larger than 1 MiB or a key has more than 16 parts
void check_configuration_text(std::string_view toml, const std::string& file);

/// A text as a string of TOML, quotes included.
std::string toml_string(std::string_view text);

}  // namespace saescope
