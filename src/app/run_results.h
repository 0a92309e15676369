#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "analysis/feature_tables.h"
#include "app/prepared_model.h"
#include "app/specific_results.h"

namespace saescope {

/// A model of a run as the outputs need it.
struct RunModel {
  const PreparedModel* prepared;
  std::vector<uint64_t> prompts_per_label;  ///< that were run, parallel to the labels' names
};

/// An SAE of a run as the report names it.
struct RunSae {
  std::string path;
  std::size_t dict_size;
};

/// What the models of a run add to, and the outputs are written from.
struct RunResults {
  explicit RunResults(const Gathering& gathering) : tables(gathering) {}

  FeatureTables tables;
  std::deque<SpecificTable> specific;
  std::map<std::string, RunModel> models;       ///< by name
  std::map<std::string, RunSae> sae_of_source;  ///< by the source's name
};

}  // namespace saescope
