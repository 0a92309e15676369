#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace saescope::unicode {

/// Code points first … last, both included.
struct Range {
  char32_t first;
  char32_t last;
};

/// Code points first … last, all of which are mapped to `target`.
struct MappedRange {
  char32_t first;
  char32_t last;
  char32_t target;
};

/// The entry of an ascending table that holds `c`, or null.
template <typename Entry, std::size_t size>
const Entry* find_range(const Entry (&table)[size], char32_t c) {
  const Entry* entry = std::lower_bound(std::begin(table), std::end(table), c,
                                        [](const Entry& e, char32_t value) { return e.last < value; });
  return entry != std::end(table) && entry->first <= c ? entry : nullptr;
}

template <std::size_t size>
bool in_ranges(const Range (&table)[size], char32_t c) {
  return find_range(table, c) != nullptr;
}

template <std::size_t size>
char32_t find_mapped(const MappedRange (&table)[size], char32_t c) {
  const MappedRange* entry = find_range(table, c);
  return entry == nullptr ? c : entry->target;
}

}  // namespace saescope::unicode
