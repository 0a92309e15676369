#include "output/page/page_prompts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/utf8.h"

namespace saescope {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
/// Bytes of one text: the first limit that keeps all texts together below kMostBytes.
constexpr std::array<std::size_t, 4> kTextLimits = {std::size_t{1} << 20, 20'000, 2'000, 300};

std::string_view cut(std::string_view text, std::size_t limit) {
  return text.substr(0, character_start(text, std::min(limit, text.size())));
}

}  // namespace

uint32_t PagePrompts::position(std::size_t prompt_idx) {
  uint32_t& position = positions_[prompt_idx];
  if (position == kAbsent) {
    position = static_cast<uint32_t>(shown_.size());
    shown_.push_back(prompt_idx);
  }
  return position;
}

PageData::Json PagePrompts::to_json(const Prompts& prompts, const Labels& labels) const {
  const auto bytes_with = [&](std::size_t limit) {
    std::size_t bytes = 0;
    for (const std::size_t idx : shown_) bytes += std::min(limit, prompts[idx].content.size());
    return bytes;
  };
  const auto fits = [&](std::size_t limit) { return bytes_with(limit) <= kMostBytes; };
  const auto found = std::find_if(kTextLimits.begin(), kTextLimits.end(), fits);
  const std::size_t limit = found == kTextLimits.end() ? kTextLimits.back() : *found;
  PageData::Json json = PageData::Json::array();
  for (const std::size_t idx : shown_) {
    const Prompt prompt = prompts[idx];
    json.push_back(
        {{"idx", idx},
         {"label", labels.of_prompts()[idx]},
         {"place", prompt.place()},
         {"text", cut(prompt.content, limit)},
         {"characters", std::count_if(prompt.content.begin(), prompt.content.end(), begins_character)}});
  }
  return json;
}

}  // namespace saescope
