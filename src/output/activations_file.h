#pragma once

#include <map>
#include <string>

#include "base/atomic_file.h"
#include "engine/results.h"

namespace saescope {

/// The residual stream as a safetensors file: for each model `MODEL.prompt_idx` [prompts] I64, and for each
/// layer and token type `MODEL.layer_LAYER.TOKEN` [prompts, hidden] F32, the numbers that SAEs encode.
/// @param metadata of the file's header @return how many rows were written
uint64_t write_activations(Results& results, const std::map<std::string, std::string>& metadata,
                           AtomicFile& file);

}  // namespace saescope
