#pragma once

#include <string>

#include "app/pipeline.h"

namespace saescope {

/// --dry-run: what the run would download, read, compute and write, with sizes. Of a model on the hub only
/// configuration and tokenizer are fetched (they decide the rest); no weights, no SAE; nothing is written.
/// @throws Error as the run itself would while it prepares
std::string describe_run(const RunInput& input, Hub& hub, const Context& context);

}  // namespace saescope
