#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/token_type.h"

namespace saescope {

/// Whether a path names a GGUF file.
bool is_gguf(const std::filesystem::path& path);

/// The two parts of a trainer WIDTH_l0_L0.
struct TrainerParts {
  std::string width;
  std::string l0;

  std::string joined() const;
};
/// Nothing for a trainer of another form.
std::optional<TrainerParts> parts_of_trainer(const std::string& trainer);

/// A model that a run can name: where it and its SAEs lie, and at which tokens it is read. In a configuration
/// file this is one table [models.NAME].
struct ModelEntry {
  std::string name;
  std::string model;           ///< hub id, or an absolute path where model_is_path
  bool model_is_path = false;  ///< a folder in Hugging Face layout or a .gguf file
  std::string sae;             ///< hub id; empty: sae_dir holds everything
  std::string sae_dir;         ///< absolute path of the folder where SAEs are cached
  /// Below sae_dir and in the SAE repository, with {layer} and {trainer}; of a trainer WIDTH_l0_L0, {width}
  /// and {l0} are the two parts.
  std::string sae_path;
  /// "LAYER/TRAINER" → the path of an SAE that sae_path does not give; a trainer that stands here has no
  /// others.
  std::map<std::string, std::string> sae_paths;
  std::vector<int64_t> sae_layers;        ///< that have SAEs; empty: nobody says
  std::vector<std::string> sae_trainers;  ///< the same of trainers
  std::string trainer;                    ///< number or word
  std::vector<int64_t> layers;
  std::vector<TokenType> tokens;             ///< in the file's order
  std::string link;                          ///< with {layer}, {trainer} and {feature_id}; may be empty
  std::map<std::string, std::string> links;  ///< trainer → the link of its features, in place of `link`
  /// Where exports of descriptions have this model's features: MODEL_ID/LAYER_ID with {layer} and {trainer};
  /// empty: as the link says.
  std::string descriptions;
  std::string pt_descriptions;
  /// Further variables for the chat template: strings, booleans and integers, in the file's order.
  nlohmann::ordered_json template_vars = nlohmann::ordered_json::object();

  /// sae_path with its placeholders filled in; where it has none for a value, that value is not used.
  std::string sae_folder(const std::string& of_trainer, int64_t layer) const;
  /// Whether sae_paths gives its path.
  bool has_own_path(const std::string& of_trainer, int64_t layer) const;
  /// The link of an SAE's features, with {feature_id} alone left to fill in; may be empty.
  std::string link_of(const std::string& of_trainer, int64_t layer) const;
  /// @throws InputError (`where` left empty) where the entry says that there is no such SAE
  void require_sae(const std::string& of_trainer, int64_t layer) const;
  /// Of SAEs that their authors' package and SAELens read in different ways, SAELens' counts.
  bool sae_lens_reading = false;
  bool check_sae = true;  ///< whether an SAE must have been trained on this model and layer, where it says so
  /// In place of the model's own chat template: its text, or the absolute path of a file; empty: the model's.
  std::string chat_template;
  bool chat_template_is_path = false;

  bool operator==(const ModelEntry&) const = default;
};

}  // namespace saescope
