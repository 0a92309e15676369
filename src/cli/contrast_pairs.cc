#include "cli/contrast_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json_text.h"

namespace saescope {
namespace {

std::string list_labels(const Labels& labels) {
  constexpr std::size_t kShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, labels.size()); ++i) {
    list += fmt::format("{}{}", i == 0 ? "" : ", ", shown_text(labels.names()[i]));
  }
  return list + (labels.size() > kShown ? fmt::format(" and {} more", labels.size() - kShown) : "");
}

/// Labels may hold colons themselves: the text is cut where both sides are labels.
std::vector<LabelPair> readings(std::string_view text, const Labels& labels) {
  std::vector<LabelPair> pairs;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    const auto label = labels.find(text.substr(0, colon));
    const auto against = labels.find(text.substr(colon + 1));
    if (label && against && *label != *against) pairs.push_back({*label, *against});
  }
  return pairs;
}

LabelPair parse_pair(const std::string& text, const Labels& labels) {
  const std::vector<LabelPair> pairs = readings(text, labels);
  if (pairs.size() == 1) return pairs.front();
  throw InputError({.what = pairs.empty() ? "the value names no two labels of the prompts"
                                          : "the value can be read as several pairs of labels",
                    .where = "--contrast",
                    .expected = "A:B, both of " + list_labels(labels),
                    .found = shown_text(text),
                    .hint = pairs.empty() ? "labels stand in the key \"label\" of the prompts"
                                          : "rename labels that hold colons"});
}

}  // namespace

std::vector<LabelPair> contrast_pairs(const Options& options, const Labels& labels) {
  if (labels.size() < 2) {
    if (options.contrast_output.empty() && options.contrast_pairs.empty()) return {};
    throw InputError({.what = "there are no labels to compare: all prompts have the same one",
                      .where = options.prompts_path.string(),
                      .expected = "at least two different values of the key \"label\"",
                      .found = list_labels(labels)});
  }
  std::vector<LabelPair> pairs;
  for (const std::string& text : options.contrast_pairs) pairs.push_back(parse_pair(text, labels));
  if (!pairs.empty()) return pairs;
  for (std::size_t label = 0; label < labels.size(); ++label) pairs.push_back({label, std::nullopt});
  return pairs;
}

}  // namespace saescope
