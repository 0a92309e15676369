#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "plan/model_entry.h"

namespace saescope {

/// What a chat template sees besides the messages: no tools and documents, the special tokens, and on top
/// what the entry sets.
nlohmann::ordered_json template_variables(const nlohmann::ordered_json& special_tokens,
                                          const ModelEntry& entry);

/// @param where the model's file or folder
InputError no_chat_template(const std::string& where);

}  // namespace saescope
