#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/environment.h"

namespace saescope {

/// Which token of a rendered prompt a token type reads: the last token of this text in the generation
/// prompt, or the token this far from the end of the sequence (−1: the last one).
using TokenPlace = std::variant<std::string, int64_t>;

struct TokenType {
  std::string name;
  TokenPlace place;
  bool operator==(const TokenType&) const = default;
};

/// One table [models.NAME] (spec section 5), checked, with `~` and `${VAR}` expanded and paths absolute.
struct ModelEntry {
  std::string name;
  std::string model;           ///< hub id, or an absolute path where model_is_path
  bool model_is_path = false;  ///< a folder in Hugging Face layout or a .gguf file
  std::string sae;             ///< hub id; empty: sae_dir holds everything
  std::string sae_dir;         ///< absolute path of the folder where SAEs are cached
  std::string sae_path;        ///< below sae_dir and in the SAE repository, with {layer} and {trainer}
  std::string trainer;         ///< number or word
  std::vector<int64_t> layers;
  std::vector<TokenType> tokens;  ///< in the file's order
  std::string link;               ///< with {layer} and {feature_id}; may be empty
  /// Where --descriptions and --pt-descriptions have this model's features: MODEL_ID/LAYER_ID with {layer}
  /// and {trainer}; empty: as the link says.
  std::string descriptions;
  std::string pt_descriptions;
  /// Further variables for the chat template: strings, booleans and integers, in the file's order.
  nlohmann::ordered_json template_vars = nlohmann::ordered_json::object();

  /// sae_path with its placeholders filled in; where it has none for a value, that value is not used.
  std::string sae_folder(std::string_view of_trainer, int64_t layer) const;
  bool operator==(const ModelEntry&) const = default;
};

struct Configuration {
  std::vector<ModelEntry> models;     ///< built-in ones first, then the file's in its order
  std::vector<std::string> defaults;  ///< names a run without --models covers

  /// The entry of this name, or null.
  const ModelEntry* find(std::string_view name) const;
  std::vector<std::string> names() const;
};

/// The seed's two models.
Configuration builtin_configuration();

/// The built-in models with a TOML file's entries added; an entry of a built-in name overrides it key by
/// key. `defaults` are the file's entries, or the built-in ones where it has none.
///
/// `model` is a path where it starts with '.', '/' or '~', contains "${", ends in ".gguf", or is the name
/// of something beside the configuration file; else it must look like a hub id.
/// @throws InputError with file and line: malformed TOML, an unknown key (with the closest known one), a
///         value of a wrong type or out of range, a variable that is not set, a required key left out.
Configuration load_configuration(const std::filesystem::path& path,
                                 const Environment& environment = process_environment);

/// As load_configuration, from text. @param file names the file in messages; paths are relative to its folder
Configuration parse_configuration(std::string_view toml, const std::filesystem::path& file,
                                  const Environment& environment = process_environment);

/// The configuration in its file format; reading it back gives the same entries.
std::string print_configuration(const Configuration& configuration);

}  // namespace saescope
