#include "app/specific_results.h"

#include <algorithm>
#include <utility>

namespace saescope {

SpecificTable::SpecificTable(RowOrigin origin, std::vector<int64_t> features,
                             const std::filesystem::path& folder, float active_above, bool all_tokens)
    : origin_(std::move(origin)),
      features_(std::move(features)),
      active_above_(active_above),
      spool_(folder) {
  if (all_tokens) token_spool_.emplace(folder);
}

void SpecificTable::add(std::span<const std::size_t> prompt_indices, MatrixView<const float> activations) {
  prompts_.insert(prompts_.end(), prompt_indices.begin(), prompt_indices.end());
  for (std::size_t r = 0; r < activations.rows; ++r) spool_.append({activations.row(r), activations.cols});
}

void sort_tables(std::deque<SpecificTable>& tables) {
  const auto key = [](const SpecificTable& table) {
    return std::pair(table.origin().source.name(), table.origin().token);
  };
  std::sort(tables.begin(), tables.end(),
            [&](const SpecificTable& a, const SpecificTable& b) { return key(a) < key(b); });
}

SpecificCounts write_specific_outputs(std::deque<SpecificTable>& tables, const Prompts& prompts,
                                      const std::filesystem::path& csv_path,
                                      std::optional<float> record_threshold, std::deque<AtomicFile>& files) {
  AtomicFile& csv = files.emplace_back(csv_path);
  AtomicFile* const records =
      record_threshold ? &files.emplace_back(active_prompts_path(csv_path.string())) : nullptr;
  SpecificCounts counts;
  csv.write(kSpecificHeader);
  for (SpecificTable& table : tables) {
    table.for_each([&](std::size_t prompt, int64_t feature, float activation) {
      csv.write(specific_row(table.origin(), prompt, prompts[prompt], feature, activation));
      ++counts.rows;
      if (records == nullptr || activation < *record_threshold || !(activation > 0)) return;
      records->write(active_prompt_line(table.origin(), prompts[prompt], feature, activation));
      ++counts.records;
    });
  }
  return counts;
}

}  // namespace saescope
