#pragma once

#include <cstddef>

#include "base/share.h"
#include "engine/opened_model.h"

namespace saescope {

/// Which of `size` features of an SAE, in their order, a task encodes. Where an activation depends on the
/// row's other features, too, one task encodes all of the SAE, so that its matrix is read once; several such
/// SAEs are dealt to the tasks in turn.
IndexRange share_of_source(const OpenedSource& source, Share task, std::size_t size);

}  // namespace saescope
