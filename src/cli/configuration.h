#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/environment.h"
#include "plan/model_entry.h"

namespace saescope {

struct Configuration {
  std::vector<ModelEntry> models;     ///< built-in ones first, then the file's in its order
  std::vector<std::string> defaults;  ///< names a run without --models covers

  /// The entry of this name, or null.
  const ModelEntry* find(std::string_view name) const;
  std::vector<std::string> names() const;
};

/// Llama-3.1-8B-Instruct and Qwen2.5-7B-Instruct.
Configuration builtin_configuration();

/// Adds the catalogue's entries of these names; names that are configured already, or unknown, are passed
/// over.
void add_from_catalogue(const std::vector<std::string>& names, Configuration& configuration);

/// Adds the entries of a text in the file's format to a configuration. @param file names it in messages, and
/// its folder is what relative paths start from @return the entries' names
std::vector<std::string> add_entries(std::string_view toml, const std::filesystem::path& file,
                                     Configuration& configuration,
                                     const Environment& environment = process_environment);

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
