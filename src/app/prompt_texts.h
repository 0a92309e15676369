#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/prompts.h"
#include "app/chat_formatter.h"
#include "app/prepared_model.h"

namespace saescope {

/// The texts of prompts' tokens. They are made again when they are written: a run keeps ids alone.
class PromptTexts {
 public:
  /// @param model, prompts must outlive this
  PromptTexts(const PreparedModel& model, const Prompts& prompts);

  /// The parts of the rendered prompt that its tokens stand for; they join to the whole text. Valid until the
  /// next call. @throws InputError where the tokenizer's file is gone
  std::span<const std::string_view> tokens(std::size_t prompt_idx);

 private:
  const PreparedModel& model_;
  const Prompts& prompts_;
  std::optional<ChatFormatter> formatter_;
  std::optional<std::size_t> prompt_idx_;
  FormattedPrompt formatted_;
  std::vector<std::string_view> texts_;
};

}  // namespace saescope
