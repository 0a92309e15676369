#pragma once

#include <memory>

#include "assets/model_files.h"

namespace saescope {

/// A folder in Hugging Face layout: config.json, tokenizer.json, tokenizer_config.json, where there is one
/// chat_template.jinja, and weights as safetensors.
std::unique_ptr<ModelFiles> open_folder_model(const ModelEntry& entry);

/// The same as a repository of the hub, whose files are downloaded when they are needed.
std::unique_ptr<ModelFiles> open_hub_model(const ModelEntry& entry, Hub& hub);

}  // namespace saescope
