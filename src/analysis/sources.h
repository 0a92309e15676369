#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace saescope {

/// What a column `source` names: one model's SAE of one trainer at one layer.
struct Source {
  std::string model;
  std::string trainer;  ///< a number or any word ("1", "32x"), see is_trainer_word
  int64_t layer = 0;

  /// "{model}_trainer{trainer}_layer{layer}".
  std::string name() const;
  /// Reads a source's name from the right, so that a model's name may itself contain "_trainer".
  /// `parse(text).name() == text` for every text it accepts.
  /// @throws InputError (what, expected, found; `where` left empty for the caller's context).
  static Source parse(std::string_view name);
  auto operator<=>(const Source&) const = default;
};

/// Whether `text` can name a trainer: letters, digits, '-', '.', '_', not only dots (it becomes
/// part of a path), and without "_trainer" (a source's name could not be read back).
bool is_trainer_word(std::string_view text);

/// Whether `text` can name a model or a token type: letters, digits, '-', '.', '_', at least one.
bool is_plain_name(std::string_view text);

}  // namespace saescope
