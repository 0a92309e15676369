#include "analysis/universal_set.h"

namespace saescope {

UniversalStatistics& UniversalSet::at(const Source& source, const std::string& token, std::size_t features) {
  const auto key = std::pair(source.name(), token);
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second.statistics;
  const Entry entry{source, UniversalStatistics(features, activation_threshold_)};
  return entries_.emplace(key, entry).first->second.statistics;
}

std::vector<UniversalTable> UniversalSet::finish(const std::map<std::string, std::size_t>& prompts_of_model,
                                                 double threshold) const {
  std::vector<UniversalTable> tables;
  tables.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) {
    const std::size_t prompts = prompts_of_model.at(entry.source.model);
    tables.push_back({entry.source, key.second, entry.statistics.finish(prompts, threshold)});
  }
  return tables;
}

}  // namespace saescope
