#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "assets/checkpoint.h"
#include "engine/prepared_model.h"
#include "plan/requested_feature.h"
#include "sae/formats/sae_format.h"

namespace saescope {

/// A piece [begin, end) of something that is `total` long.
struct WorkPlace {
  uint64_t begin = 0;
  uint64_t end = 1;
  uint64_t total = 1;
};

/// One SAE of a run, opened and checked against its model and the features asked of it.
struct OpenedSource {
  const SourcePlan* plan;
  OpenedSae sae;
  /// Where its work lies among that of all the run's SAEs, laid end to end (place_in_work).
  WorkPlace work = {};
};

/// A prepared model with its weights and SAEs opened (mapped: nothing is read yet).
struct OpenedModel {
  PreparedModel prepared;
  Checkpoint checkpoint;
  std::vector<std::deque<OpenedSource>> layers;  ///< parallel to prepared.plan.layers
  std::vector<std::string> origins;              ///< which commits of the hub were read, in sentences

  /// Weights and SAEs are read from the files where they lie; a file that somebody writes to gives wrong
  /// numbers. @throws RunError where one was changed since it was opened
  void require_unchanged() const;
};

/// @param copies what weights are read through @param requested what the plan's WantedFeature::row points
/// into, for messages
/// @throws InputError where an SAE does not fit the model or a feature id does not exist
OpenedModel open_model(PreparedModel prepared, const std::vector<RequestedFeature>& requested,
                       const LocalCopies& copies, Hub& hub, Progress& progress);

}  // namespace saescope
