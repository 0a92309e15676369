#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace saescope {

/// One prompt of the input. Its index in the list is `prompt_idx`.
struct Prompt {
  std::string content;
  std::string label;
  std::string place;  ///< "file:line", for messages
};

}  // namespace saescope
