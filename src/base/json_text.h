#pragma once

#include <string>
#include <string_view>

namespace saescope {

/// Appends `text` as a JSON string, quotes included, escaped as Python's json.dumps(ensure_ascii=False) does:
/// only the quote, the backslash and control characters below U+0020.
void append_json_string(std::string& out, std::string_view text);

/// `text` as such a string, cut to about 80 bytes: how messages show what they found.
std::string shown_text(std::string_view text);

}  // namespace saescope
