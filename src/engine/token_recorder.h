#pragma once

#include "engine/activation_stream.h"
#include "engine/chosen_activations.h"
#include "sae/feature_encoder.h"

namespace saescope {

/// Adds to a table the activations of its features at every token of the prompts on which they are active.
/// @param encoder of the table's features @param batch with the activations of all tokens
/// @param activations [prompts, features] at the table's token type
/// @throws RunError where an activation at some token is not finite
void record_tokens(FeatureEncoder& encoder, const ActivationBatch& batch, MatrixView<const float> activations,
                   ChosenActivations& table);

}  // namespace saescope
