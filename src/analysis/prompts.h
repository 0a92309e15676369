#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// One prompt of the input, as views into the list that holds it.
struct Prompt {
  std::string_view content;  ///< the user's turn; of a conversation its messages as JSON
  std::string_view label;
  std::string_view file;
  std::size_t line = 0;       ///< counts from 1
  bool conversation = false;  ///< whole, with roles

  /// "file:line", for messages
  std::string place() const;
};

/// The prompts of a run in their order: a prompt's index here is `prompt_idx`. All texts lie in one string,
/// since a run may have a great many short ones.
class Prompts {
 public:
  /// The prompts that follow come from this file.
  void begin_file(std::string path) { files_.push_back(std::move(path)); }
  /// Precondition: a file was begun.
  void add(std::string_view content, std::string_view label, std::size_t line);
  /// A conversation of several turns. @param messages a JSON list of objects with `role` and `content`
  void add_conversation(std::string_view messages, std::string_view label, std::size_t line);

  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Prompt operator[](std::size_t prompt_idx) const;

 private:
  struct Place {
    std::size_t end_of_content;  ///< in text_; the content starts where the prompt before it ends
    std::size_t end_of_label;    ///< in text_; the label starts behind the content
    uint32_t file : 31;
    uint32_t conversation : 1;
    uint32_t line;
  };
  std::vector<std::string> files_;
  std::string text_;
  std::vector<Place> places_;
};

}  // namespace saescope
