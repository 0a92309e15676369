#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace saescope::jinja {

/// The function of an entry {name, function} of a table, or null.
template <typename Table>
auto find_named(const Table& table, std::string_view name) -> decltype(std::begin(table)->function) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& entry) { return entry.name == name; });
  return found == std::end(table) ? nullptr : found->function;
}

}  // namespace saescope::jinja
