#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// Columns of the terminal that a descriptor leads to; nothing where it leads to none.
std::optional<std::size_t> terminal_width(int descriptor);

/// The beginning of a line that fits into so many columns; every character counts as one.
std::string_view fit_line(std::string_view line, std::size_t columns);

/// Breaks lines that are longer than `columns` between words. What follows stands under the text of a line's
/// second column of words (behind two spaces or more), so that tables of flags stay readable.
std::string wrap_lines(std::string_view text, std::size_t columns);

}  // namespace saescope
