#pragma once

#include <string>

namespace saescope {

/// Checks that a pattern means the same to Oniguruma (Ruby's dialect, what the Python library
/// `tokenizers` matches with) and to PCRE2. Only constructs known to agree pass.
/// @throws InputError naming the first other construct.
void refuse_other_dialects(const std::string& pattern, const std::string& where);

/// Checks that a pattern spells no character that `regex_view` replaces in texts.
/// @throws InputError naming the character.
void refuse_replaced_characters(const std::string& pattern, const std::string& where);

}  // namespace saescope
