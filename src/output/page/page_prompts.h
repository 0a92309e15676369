#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/labels.h"
#include "analysis/prompts.h"
#include "output/page/page_data.h"

namespace saescope {

/// The prompts that a report shows: texts once each, whatever shows them.
class PagePrompts {
 public:
  explicit PagePrompts(std::size_t prompts) : positions_(prompts, kAbsent) {}

  /// Position among the report's prompts, given on first use.
  uint32_t position(std::size_t prompt_idx);
  /// By prompt_idx; meaningless where `position` was not asked.
  std::span<const uint32_t> positions() const { return positions_; }

  /// Texts are cut where they would make the page larger than a browser opens with ease.
  PageData::Json to_json(const Prompts& prompts, const Labels& labels) const;

 private:
  static constexpr uint32_t kAbsent = 0xFFFFFFFF;
  std::vector<uint32_t> positions_;
  std::vector<std::size_t> shown_;  ///< prompt_idx by position
};

}  // namespace saescope
