#pragma once

#include <vector>

#include "base/context.h"
#include "engine/chosen_activations.h"
#include "engine/encoded_part.h"
#include "engine/opened_model.h"

namespace saescope {

/// Fills `chosen` with what the parts of a model have of its features, each those of its share.
/// @param parts of all tasks, complete, in order @throws RunError where files of rows lack something;
/// Interrupted
void join_chosen_activations(const OpenedModel& model, const std::vector<const EncodedPart*>& parts,
                             ChosenActivations& chosen, const CancelToken& cancel);

}  // namespace saescope
