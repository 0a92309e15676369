#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/runtime.h"

namespace saescope::jinja {

// What filters and methods of `str` share.

/// `str.replace`; a negative `limit` replaces all. An empty `old` stands between all characters.
std::string replace_text(Runtime& runtime, std::string_view text, std::string_view old,
                         std::string_view replacement, int64_t limit);
/// `str.split` at white space; a negative `limit` means no limit.
std::vector<std::string_view> split_at_space(std::string_view text, int64_t limit);
/// `str.rsplit` at white space, in the text's order.
std::vector<std::string_view> rsplit_at_space(std::string_view text, int64_t limit);
/// `str.split` and `str.rsplit` at a separator that is not empty.
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator, int64_t limit);
/// Number of occurrences that do not overlap.
int64_t count_text(std::string_view text, std::string_view needle);
/// Last position of `needle`, or npos. Linear in the worst case.
std::size_t rfind_text(std::string_view text, std::string_view needle);
/// `text` between so many fill characters.
std::string pad(Runtime& runtime, std::string_view text, uint64_t left, uint64_t right,
                std::string_view fill);
/// `str.center` to a width in code points.
std::string center(Runtime& runtime, std::string_view text, int64_t width, std::string_view fill);

}  // namespace saescope::jinja
