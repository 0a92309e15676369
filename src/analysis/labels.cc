#include "analysis/labels.h"

#include <algorithm>
#include <set>

namespace saescope {

Labels::Labels(const Prompts& prompts) {
  std::set<std::string_view> distinct;
  for (std::size_t i = 0; i < prompts.size(); ++i) distinct.insert(prompts[i].label);
  names_.assign(distinct.begin(), distinct.end());
  of_prompts_.reserve(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    of_prompts_.push_back(static_cast<uint32_t>(*find(prompts[i].label)));
  }
}

std::optional<std::size_t> Labels::find(std::string_view name) const {
  const auto found = std::lower_bound(names_.begin(), names_.end(), name);
  if (found == names_.end() || *found != name) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

}  // namespace saescope
