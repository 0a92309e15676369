#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace saescope {

/// `text` with every {name} replaced by its value, one name after the other.
std::string fill_placeholders(std::string text,
                              std::initializer_list<std::pair<std::string_view, std::string>> values);

}  // namespace saescope
