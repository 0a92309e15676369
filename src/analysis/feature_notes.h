#pragma once

#include <string>

namespace saescope {

/// What people or other programs said about a feature; each may be empty.
struct FeatureNotes {
  std::string chat_desc;  ///< how it reacts to chats
  std::string pt_desc;    ///< how it reacts to pretraining text
  std::string type;

  bool empty() const { return chat_desc.empty() && pt_desc.empty() && type.empty(); }
  /// Fills what is empty.
  void complete_with(const FeatureNotes& more) {
    if (chat_desc.empty()) chat_desc = more.chat_desc;
    if (pt_desc.empty()) pt_desc = more.pt_desc;
    if (type.empty()) type = more.type;
  }
  bool operator==(const FeatureNotes&) const = default;
};

}  // namespace saescope
