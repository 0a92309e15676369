#pragma once

#include <string>

namespace saescope {

/// A token that is cut out of the text before the vocabulary is applied (AddedToken of the Python library
/// `tokenizers`).
struct AddedToken {
  std::string content;
  bool single_word = false;  ///< only where no word character stands beside it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool normalized = false;   ///< looked for in the normalised text instead of the original
  bool special = false;

  bool operator==(const AddedToken&) const = default;
};

}  // namespace saescope
