#pragma once

#include <filesystem>
#include <optional>

#include "analysis/sources.h"
#include "app/chat_formatter.h"
#include "app/configuration.h"
#include "hub/hub.h"
#include "model/checkpoint.h"

namespace saescope {

/// Makes sure that what is needed of a model is on this machine, downloading what is missing.
/// @param layer_count how many of the first layers are needed; 0: configuration, tokenizer and template only
/// @return the .gguf file, or the folder that holds the files @throws InputError, RunError
std::filesystem::path locate_model(const ModelEntry& entry, std::size_t layer_count, Hub& hub);

/// The folder where an SAE lies already, below `sae_dir` or the user's cache; never a request.
std::optional<std::filesystem::path> find_dictionary(const ModelEntry& entry, const Source& source);

/// The folder that holds `ae.pt` and `config.json` of one SAE: below the entry's `sae_dir`, downloaded to it
/// where they are missing; to a folder of the user's cache where `sae_dir` cannot be written.
std::filesystem::path locate_dictionary(const ModelEntry& entry, const Source& source, Hub& hub,
                                        Reporter& reporter);

/// Opens the tokenizer and the chat template.
/// @param path what locate_model returned @throws InputError naming the file and what it lacks
ChatFormatter open_chat_formatter(const std::filesystem::path& path, const ModelEntry& entry);

/// The configuration of a located model. @throws InputError
ModelConfig read_config_of(const std::filesystem::path& path);

/// Opens the weights of the first `layer_count` layers.
Checkpoint open_checkpoint(const std::filesystem::path& path, std::size_t layer_count);

}  // namespace saescope
