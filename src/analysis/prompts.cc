#include "analysis/prompts.h"

#include <fmt/format.h>

namespace saescope {

std::string Prompt::place() const { return fmt::format("{}:{}", file, line); }

void Prompts::add(std::string_view content, std::string_view label, std::size_t line) {
  text_ += content;
  const std::size_t end_of_content = text_.size();
  text_ += label;
  places_.push_back({end_of_content, text_.size(), static_cast<uint32_t>(files_.size() - 1) & 0x7fffffffU, 0,
                     static_cast<uint32_t>(line)});
}

void Prompts::add_conversation(std::string_view messages, std::string_view label, std::size_t line) {
  add(messages, label, line);
  places_.back().conversation = 1;
}

Prompt Prompts::operator[](std::size_t prompt_idx) const {
  const std::size_t start = prompt_idx == 0 ? 0 : places_[prompt_idx - 1].end_of_label;
  const Place& place = places_[prompt_idx];
  const std::string_view text = text_;
  return {text.substr(start, place.end_of_content - start),
          text.substr(place.end_of_content, place.end_of_label - place.end_of_content), files_[place.file],
          place.line, place.conversation != 0};
}

}  // namespace saescope
