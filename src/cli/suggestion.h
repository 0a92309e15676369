#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// The known word the user probably meant: one that starts with `word`, or the nearest within a third of
/// its length in edits (insert, delete, replace, swap of neighbours). Empty where none is near; the first
/// of equally near ones otherwise.
std::string closest_word(std::string_view word, const std::vector<std::string>& known);

/// "did you mean X?" where the word is another program's name of a known one (gpu for cuda), or closest_word
/// finds one, else `otherwise`.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::string otherwise);

}  // namespace saescope
