#include "formats/json_document.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace saescope {

nlohmann::json parse_json(const std::string& text, const std::string& where) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InputError({.what = "not valid JSON", .where = where, .found = error.what()});
  }
}

}  // namespace saescope
