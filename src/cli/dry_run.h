#pragma once

#include <string>

#include "base/context.h"
#include "cli/run_request.h"
#include "hub/description_exports.h"
#include "hub/hub.h"

namespace saescope {

/// --dry-run: what the run would download, read, compute and write, with sizes. Of a model on the hub only
/// configuration and tokenizer are fetched (they decide the rest); no weights, no SAE; nothing is written.
/// @throws Error as the run itself would while it prepares
std::string describe_run(const RunRequest& request, const Options& options, Hub& hub,
                         const DescriptionExports& exports, const Context& context);

}  // namespace saescope
