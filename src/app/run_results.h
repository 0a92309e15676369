#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "analysis/feature_tables.h"
#include "app/specific_results.h"

namespace saescope {

/// The prompts of one model that were run.
struct ModelPrompts {
  uint64_t run = 0;
  uint64_t left_out = 0;            ///< too long (--skip-long)
  std::vector<uint64_t> per_label;  ///< of those that were run, parallel to the labels' names
};

/// What the models of a run add to, and the outputs are written from.
struct RunResults {
  explicit RunResults(const Gathering& gathering) : tables(gathering) {}

  FeatureTables tables;
  std::deque<SpecificTable> specific;
  std::map<std::string, ModelPrompts> prompts_of_model;  ///< by the model's name
  std::map<std::string, std::string> link_of_model;
};

}  // namespace saescope
