#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "formats/torch_archive.h"
#include "sae/formats/sae_format.h"

namespace saescope {

/// SAEs of the Python package dictionary_learning: a folder with `ae.pt`, a torch state dict, and
/// `config.json`, which names its class. The decoder is not touched, except for its column norms where the
/// class needs them (AutoEncoder).
extern const SaeFormat kDictionaryLearning;

/// Builds the encoder of the class that `config["trainer"]["dict_class"]` names, as
/// dictionary_learning's `load_dictionary` does.
/// @throws InputError on an unknown class, on missing or misshapen tensors, and where config.json and
///         ae.pt disagree (shape, class, k).
EncoderParameters bind_encoder(const TorchStateDict& state, const nlohmann::json& config,
                               const std::string& ae_path, const std::string& config_path);

}  // namespace saescope
