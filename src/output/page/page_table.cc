#include "output/page/page_table.h"

#include <algorithm>
#include <bit>

namespace saescope {
namespace {

using Json = PageData::Json;

/// What a page of the two 8B models can hold without becoming slow to open.
constexpr std::size_t kMostOtherRows = 2'000;
constexpr std::size_t kMostContrastRows = 20'000;
constexpr uint32_t kNone = 0xFFFFFFFF;

/// A column: what `value` gives for each element.
template <typename Number, typename Range, typename Value>
Json column(const Range& range, const Value& value, PageData& data) {
  std::vector<Number> numbers;
  numbers.reserve(range.size());
  for (const auto& element : range) numbers.push_back(static_cast<Number>(value(element)));
  return data.add(std::span<const Number>(numbers));
}

}  // namespace

PageTable::PageTable(const FeatureTable& table, const std::vector<FeatureSummary>& universal,
                     const std::set<std::size_t>& chosen)
    : table_(table), universal_(universal.size()) {
  std::vector<bool> shown(table.statistics().features());
  for (const FeatureSummary& feature : universal) {
    rows_.push_back(static_cast<std::size_t>(feature.feature_id));
    shown[rows_.back()] = true;
  }
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (!shown[i] && table.statistics().count(i) > 0 && !chosen.contains(i)) others.push_back(i);
  }
  const auto more_often = [&](std::size_t a, std::size_t b) {
    return table.statistics().count(a) > table.statistics().count(b);
  };
  std::stable_sort(others.begin(), others.end(), more_often);
  left_out_ = others.size() - std::min(others.size(), kMostOtherRows);
  others.resize(others.size() - left_out_);
  for (const std::size_t position : chosen) {
    if (!shown[position]) others.push_back(position);
  }
  std::stable_sort(others.begin(), others.end(), more_often);
  rows_.insert(rows_.end(), others.begin(), others.end());
}

Json PageTable::to_json(std::span<const uint64_t> prompts_per_label,
                        std::span<const uint32_t> position_of_prompt, PageData& data) const {
  uint64_t prompts = 0;
  for (const uint64_t of_label : prompts_per_label) prompts += of_label;
  Json json = {{"all_features", table_.all_features()},
               {"histogram", histogram(prompts)},
               {"rows", rows_.size()},
               {"universal_rows", universal_},
               {"left_out", left_out_}};
  put_statistics(json, data);
  put_labels(json, prompts_per_label, data);
  put_details(json, position_of_prompt, data);
  return json;
}

/// Bins of 0, 1, 2 to 3, 4 to 7, … prompts.
Json PageTable::histogram(uint64_t prompts) const {
  std::vector<uint64_t> bins(1);
  for (std::size_t i = 0; i < table_.statistics().features(); ++i) {
    const auto bin = static_cast<std::size_t>(std::bit_width(table_.statistics().count(i)));
    if (bin >= bins.size()) bins.resize(bin + 1);
    ++bins[bin];
  }
  Json json = Json::array();
  for (std::size_t bin = 0; bin < bins.size(); ++bin) {
    const uint64_t from = bin == 0 ? 0 : uint64_t{1} << (bin - 1);
    const uint64_t to = bin == 0 ? 0 : std::min(prompts, (uint64_t{1} << bin) - 1);
    json.push_back({{"from", from}, {"to", to}, {"features", bins[bin]}});
  }
  return json;
}

void PageTable::put_statistics(Json& json, PageData& data) const {
  const FeatureStatistics& statistics = table_.statistics();
  const auto put = [&]<typename Number>(const char* name, Number, const auto& value) {
    json[name] = column<Number>(rows_, value, data);
  };
  put("feature_id", uint32_t{}, [&](std::size_t row) { return table_.feature_id(row); });
  put("num_prompts", uint32_t{}, [&](std::size_t row) { return statistics.count(row); });
  put("mean", float{}, [&](std::size_t row) { return statistics.feature(row).activation_mean; });
  put("max", float{}, [&](std::size_t row) { return statistics.feature(row).activation_max; });
  put("min", float{}, [&](std::size_t row) { return statistics.feature(row).activation_min; });
}

void PageTable::put_labels(Json& json, std::span<const uint64_t> prompts_per_label, PageData& data) const {
  json["label_counts"] = nullptr;
  json["label_means"] = nullptr;
  const LabelStatistics& labels = *table_.labels();
  if (labels.labels() > StatisticsSettings::kMostGroups) return;
  std::vector<uint32_t> counts;
  std::vector<float> means;
  for (const std::size_t row : rows_) {
    for (std::size_t label = 0; label < labels.labels(); ++label) {
      const auto prompts = static_cast<double>(std::max<uint64_t>(prompts_per_label[label], 1));
      counts.push_back(static_cast<uint32_t>(labels.count(label, row)));
      means.push_back(static_cast<float>(labels.sum(label, row) / prompts));
    }
  }
  json["label_counts"] = data.add(std::span<const uint32_t>(counts));
  json["label_means"] = data.add(std::span<const float>(means));
}

void PageTable::put_details(Json& json, std::span<const uint32_t> position_of_prompt, PageData& data) const {
  const FeatureDetails& details = *table_.details();
  std::vector<uint32_t> distribution;
  std::vector<uint32_t> prompts;
  std::vector<float> values;
  for (const std::size_t row : rows_) {
    const auto bins = details.distribution(row);
    distribution.insert(distribution.end(), bins.begin(), bins.end());
    distribution.resize(distribution.size() + FeatureDetails::kBins - bins.size());
    const auto strongest = details.strongest(row);
    for (std::size_t i = 0; i < details.groups() * FeatureDetails::kStrongest; ++i) {
      const StrongPrompt strong = strongest.empty() ? StrongPrompt{} : strongest[i];
      prompts.push_back(strong.activation > 0 ? position_of_prompt[strong.prompt_idx] : kNone);
      values.push_back(strong.activation);
    }
  }
  json["distribution"] = data.add(std::span<const uint32_t>(distribution));
  json["strongest_prompts"] = data.add(std::span<const uint32_t>(prompts));
  json["strongest_values"] = data.add(std::span<const float>(values));
}

Json contrast_json(std::span<const ContrastRow> all, PageData& data) {
  const auto rows = all.first(std::min(all.size(), kMostContrastRows));
  Json json = {{"rows", rows.size()}, {"left_out", all.size() - rows.size()}};
  const auto put = [&]<typename Number>(const char* name, Number, const auto& value) {
    json[name] = column<Number>(rows, value, data);
  };
  put("feature_id", uint32_t{}, [](const ContrastRow& row) { return row.feature_id; });
  put("label", uint32_t{}, [](const ContrastRow& row) { return row.pair.label; });
  put("against", uint32_t{}, [](const ContrastRow& row) { return row.pair.against.value_or(kNone); });
  const auto put_double = [&](const char* name, double ContrastRow::*member) {
    put(name, double{}, [member](const ContrastRow& row) { return row.*member; });
  };
  put_double("rate_label", &ContrastRow::rate_label);
  put_double("rate_against", &ContrastRow::rate_against);
  put_double("mean_label", &ContrastRow::mean_label);
  put_double("mean_against", &ContrastRow::mean_against);
  put_double("rate_difference", &ContrastRow::rate_difference);
  put_double("odds_ratio", &ContrastRow::odds_ratio);
  put_double("p_value", &ContrastRow::p_value);
  put_double("q_value", &ContrastRow::q_value);
  return json;
}

}  // namespace saescope
