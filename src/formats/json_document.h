#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace saescope {

/// Parses a JSON document. @param where the file's name, for messages
/// @throws InputError with the parser's reason where it is not valid JSON, nests too deeply or is too large
nlohmann::json parse_json(const std::string& text, const std::string& where);

}  // namespace saescope
