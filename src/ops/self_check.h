#pragma once

#include "ops/backend.h"

namespace saescope {

/// Runs the operators of the forward pass on small random inputs and compares them with ReferenceBackend,
/// before a run trusts a device that nobody may have tried. Takes a fraction of a second.
/// @throws RunError that names the operator whose result is off by more than rounding explains
void check_operators(Backend& backend);

/// Whether the products, norms and gates of a row have the same bits alone and among others, on a sample.
bool keeps_rows_apart(Backend& backend);

}  // namespace saescope
