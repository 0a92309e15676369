#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace saescope {

// Byte-level vocabularies are JSON and hence text: each of the 256 bytes is spelled as one printable
// character (GPT-2's alphabet). Printable Latin-1 stands for itself, the other bytes, in order, for
// U+0100, U+0101, …; a space, for instance, is spelled "Ġ".

/// Appends the bytes that `spelling` stands for.
/// @return false where a character is not in the alphabet; `out` is then unchanged.
bool append_spelled_bytes(std::string_view spelling, std::string& out);

/// The spelling of some bytes, for messages and look-ups.
std::string spell_bytes(std::string_view bytes);

}  // namespace saescope
