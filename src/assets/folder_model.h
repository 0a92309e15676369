#pragma once

#include <memory>

#include "assets/model_files.h"

namespace saescope {

/// A folder in Hugging Face layout: config.json, tokenizer.json (or vocab.json and merges.txt), the files
/// that transformers reads beside it, and weights; or the hub cache's folder of a repository. @param progress
/// must outlive what is returned
std::unique_ptr<ModelFiles> open_folder_model(const ModelEntry& entry, Progress& progress);

/// The same as a repository of the hub, whose files are downloaded when they are needed.
std::unique_ptr<ModelFiles> open_hub_model(const ModelEntry& entry, Hub& hub, Progress& progress);

}  // namespace saescope
