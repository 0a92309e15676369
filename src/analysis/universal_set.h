#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/sources.h"
#include "analysis/universal.h"

namespace saescope {

/// The universal features of one source at one token type: one contiguous part of the universal
/// CSV.
struct UniversalTable {
  Source source;
  std::string token;
  std::vector<UniversalFeature> features;
};

/// The statistics of every source and token type of a run.
class UniversalSet {
 public:
  explicit UniversalSet(float activation_threshold) : activation_threshold_(activation_threshold) {}

  /// The statistics of a source's token type, created on first use for `features` dictionary
  /// features. The reference stays valid while the set lives. Not thread-safe; the statistics
  /// themselves may be filled from several threads as UniversalStatistics allows.
  UniversalStatistics& at(const Source& source, const std::string& token, std::size_t features);

  /// Every table, rowless ones too, in the order of the CSV: source name, then token type, both
  /// ascending as strings.
  /// @param prompts_of_model how many prompts were added to each model's statistics, by model name
  std::vector<UniversalTable> finish(const std::map<std::string, std::size_t>& prompts_of_model,
                                     double threshold) const;

 private:
  struct Entry {
    Source source;
    UniversalStatistics statistics;
  };
  float activation_threshold_;
  /// Keyed by source name (not Source: layer 9 comes behind layer 11 as a string) and token type.
  std::map<std::pair<std::string, std::string>, Entry> entries_;
};

}  // namespace saescope
