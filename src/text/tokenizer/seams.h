#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace saescope {

/// Which two characters stand side by side in some token. Between two others no merge ever takes place, so a
/// text falls into words there that are encoded one by one. Some pairs are reported that no token has (the
/// set is kept by hashes); that costs a cut, not an id.
class Seams {
 public:
  /// @param tokens about how many there will be, for the size of the set
  explicit Seams(std::size_t tokens);

  /// A token that merges can give.
  void add(std::string_view token);

  /// The end of the word that begins at `begin`. Precondition: valid UTF-8, begin < text.size().
  std::size_t word_end(std::string_view text, std::size_t begin) const;

 private:
  static constexpr std::size_t kBits = 64;
  std::size_t bit_of(char32_t left, char32_t right) const;
  bool may_join(char32_t left, char32_t right) const;

  std::vector<uint64_t> pairs_;  // a power of two
};

}  // namespace saescope
