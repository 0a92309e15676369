#pragma once

#include <deque>
#include <vector>

#include "app/prepared_model.h"
#include "model/checkpoint.h"
#include "sae/dictionary.h"

namespace saescope {

/// One SAE of a run, opened and checked against its model and the features asked of it.
struct OpenedSource {
  const SourcePlan* plan;
  Dictionary dictionary;
};

/// A prepared model with its weights and SAEs opened (mapped: nothing is read yet).
struct OpenedModel {
  PreparedModel prepared;
  Checkpoint checkpoint;
  std::vector<std::deque<OpenedSource>> layers;  ///< parallel to prepared.plan.layers
};

/// @param features the rows of the features CSV, for messages
/// @throws InputError where an SAE does not fit the model or a feature id does not exist
OpenedModel open_model(PreparedModel prepared, const std::vector<RequestedFeature>& features, Hub& hub,
                       Reporter& reporter);

}  // namespace saescope
