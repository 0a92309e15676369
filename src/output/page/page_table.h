#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "analysis/feature_tables.h"
#include "analysis/label_contrast.h"
#include "output/page/page_data.h"

namespace saescope {

/// The features of one source and token type as the report shows them.
class PageTable {
 public:
  /// @param universal rows of the universal CSV @param chosen positions of further features that are shown in
  /// any case
  PageTable(const FeatureTable& table, const std::vector<FeatureSummary>& universal,
            const std::set<std::size_t>& chosen);

  /// Shown features, as positions in the table: the universal ones in the CSV's order, the others by the
  /// number of prompts on which they are active.
  const std::vector<std::size_t>& rows() const { return rows_; }

  /// Everything but names, contrast, notes and tokens.
  /// @param position_of_prompt by prompt_idx, where among the page's prompts it stands
  PageData::Json to_json(std::span<const uint64_t> prompts_per_label,
                         std::span<const uint32_t> position_of_prompt, PageData& data) const;

 private:
  PageData::Json histogram(uint64_t prompts) const;
  void put_statistics(PageData::Json& json, PageData& data) const;
  void put_labels(PageData::Json& json, std::span<const uint64_t> prompts_per_label, PageData& data) const;
  void put_details(PageData::Json& json, std::span<const uint32_t> position_of_prompt, PageData& data) const;

  const FeatureTable& table_;
  std::size_t universal_;
  std::size_t left_out_ = 0;
  std::vector<std::size_t> rows_;
};

/// The contrast of one source and token type.
/// @param rows in the CSV's order; the first 20,000 are shown
PageData::Json contrast_json(std::span<const ContrastRow> rows, PageData& data);

}  // namespace saescope
