#pragma once

#include "cli/configuration.h"
#include "cli/options.h"

namespace saescope {

/// What --model and --sae name, as an entry of the configuration: on top of the one that --models names, else
/// on the catalogue's row of the same model, else on nothing but these flags. Without a row the last token
/// alone is read.
/// @throws InputError where they do not say enough
void add_one_off(const Options& options, Configuration& configuration);

}  // namespace saescope
