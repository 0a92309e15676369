#pragma once

#include <cstddef>
#include <deque>

#include "base/share.h"
#include "engine/opened_model.h"

namespace saescope {

/// Lays the encoding of all SAEs of a run end to end, by what they multiply. A task's share is a piece of
/// that line: it reads the activations of the layers that its piece touches, and of each SAE some features.
void place_in_work(std::deque<OpenedModel>& models);

/// Which of `size` features of an SAE, in their order, a task encodes. Where an activation depends on the
/// row's other features, too, one task encodes all of the SAE, so that its matrix is read once.
IndexRange share_of_source(const OpenedSource& source, Share task, std::size_t size);

}  // namespace saescope
