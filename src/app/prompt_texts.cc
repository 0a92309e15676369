#include "app/prompt_texts.h"

#include "app/model_source.h"

namespace saescope {

PromptTexts::PromptTexts(const PreparedModel& model, const Prompts& prompts)
    : model_(model), prompts_(prompts) {}

std::span<const std::string_view> PromptTexts::tokens(std::size_t prompt_idx) {
  if (prompt_idx_ == prompt_idx) return texts_;
  if (!formatter_) formatter_ = open_chat_formatter(model_.path, model_.plan.entry);
  formatted_ = formatter_->format(prompts_[prompt_idx].content);
  texts_ = formatter_->tokenizer().token_texts(formatted_.text);
  prompt_idx_ = prompt_idx;
  return texts_;
}

}  // namespace saescope
