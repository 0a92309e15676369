#pragma once

#include <cstdint>
#include <string>

#include "analysis/feature_notes.h"
#include "analysis/sources.h"

namespace saescope {

/// A feature that somebody asks about, such as a row of the features CSV.
struct RequestedFeature {
  Source source;
  int64_t feature_id = 0;
  std::string token;  ///< empty: every token type of the model
  std::string place;  ///< "file:row N (line M)", for messages; N counts the rows below the header from 1
  FeatureNotes notes = {};  ///< empty where nothing is known
};

}  // namespace saescope
