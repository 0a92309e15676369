#pragma once

#include <string>

#include "analysis/prompts.h"
#include "base/csv.h"
#include "input/json_lines.h"

namespace saescope {

/// An object such as a prompt is, for messages.
inline constexpr const char* kPromptExample =
    "an object such as {\"content\": \"How do you feel?\", \"label\": \"emotional\"}";

/// Adds the prompt of a JSON object: `content` (or another key) and `label`, or `messages`, a conversation.
/// @param content_key the key that holds the prompt; empty: `content`
/// @throws InputError that lists the object's keys where none of them holds a prompt
void append_prompt(const JsonLine& line, const std::string& content_key, Prompts& prompts);

/// Adds the prompts of a table with a column of that name and where there is one, a column `label`.
/// @throws InputError with the line
void append_prompt_table(std::string_view text, const std::string& file, const std::string& content_key,
                         Prompts& prompts);

}  // namespace saescope
