#pragma once

#include <memory>

#include "assets/model_files.h"

namespace saescope {

/// A GGUF file, which holds configuration, vocabulary, chat template and weights; of a split one the first
/// part, beside which the others lie.
std::unique_ptr<ModelFiles> open_gguf_model(const ModelEntry& entry, Progress& progress);

}  // namespace saescope
