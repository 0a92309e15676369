#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/offset_map.h"
#include "text/tokenizer/regex.h"

namespace saescope {

/// `text` with something in the place of some stretches. @param matches ascending
/// @param origins if given, receives where the bytes come from
std::string replace_matches(std::string_view text, const std::vector<TextRange>& matches,
                            std::string_view content, OffsetMap* origins = nullptr);

/// All places of `text` that hold `pattern`, from left to right, none in another. Precondition: not empty.
std::vector<TextRange> find_literal(std::string_view text, std::string_view pattern);

/// `text` with `content` wherever `pattern` stands. Precondition: `pattern` is not empty.
std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

}  // namespace saescope
