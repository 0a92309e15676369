#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// A flag and the text that stands behind it.
struct Argument {
  std::string flag;  ///< "--threshold"
  std::string text;
};

/// A decimal number; finite. @throws InputError naming the flag, as all of these do.
double parse_double(const Argument& argument, std::string_view expected);
/// As parse_double, rounded once, from the text, to the float that activations are compared with.
float parse_float(const Argument& argument, std::string_view expected);
/// A whole number in [smallest, largest].
int64_t parse_integer(const Argument& argument, int64_t smallest, int64_t largest);
/// Bytes: "8GiB", "512MiB", "2GB", "1.5 GiB", "1048576". KiB … TiB are powers of 1024, KB … TB powers of
/// 1000, a bare K … T the power of 1024. Case does not matter. Greater than zero.
uint64_t parse_size(const Argument& argument);
/// "a|b|c" in its parts.
std::vector<std::string> split_words(std::string_view words);
/// The parts between commas, trimmed, none empty.
std::vector<std::string> parse_list(const Argument& argument);
/// The index of the text among words such as "bf16|fp32". @throws InputError listing them.
std::size_t parse_choice(const Argument& argument, std::string_view words);
/// The word of an enumeration's value, for words as in parse_choice.
template <typename Enum>
std::string word_of(Enum value, std::string_view words) {
  return split_words(words).at(static_cast<std::size_t>(value));
}

}  // namespace saescope
