#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/prompts.h"

namespace saescope {

/// The distinct labels of a run's prompts, ascending as strings. Prompts without a label have the label "".
class Labels {
 public:
  Labels() = default;
  explicit Labels(const Prompts& prompts);

  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  std::optional<std::size_t> find(std::string_view name) const;
  /// Position among names() of each prompt's label, by prompt_idx.
  std::span<const uint32_t> of_prompts() const { return of_prompts_; }

 private:
  std::vector<std::string> names_;
  std::vector<uint32_t> of_prompts_;
};

}  // namespace saescope
