#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "model/forward.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// An opened checkpoint: mapped files and the tensors in them.
class Checkpoint {
 public:
  /// Opens a folder in Hugging Face layout. Of a sharded checkpoint only the shards that hold the first
  /// `layer_count` layers are opened; the others need not be there.
  static Checkpoint open_folder(const std::filesystem::path& folder, std::size_t layer_count);
  /// Opens a GGUF file and, where it is the first of a split one, its siblings.
  static Checkpoint open_gguf(const std::filesystem::path& file, std::size_t layer_count);

  const Model& model() const { return model_; }
  /// The metadata of a GGUF file (its vocabulary and chat template), null for a folder.
  const GgufFile* gguf() const { return gguf_.get(); }
  const std::deque<MappedFile>& files() const { return files_; }

 private:
  std::deque<MappedFile> files_;
  std::unique_ptr<GgufFile> gguf_;
  Model model_;
};

/// Reads only the configuration of a folder. @throws InputError
ModelConfig read_model_config(const std::filesystem::path& folder);

/// The weight files of a folder's checkpoint that hold the first `layer_count` layers, by
/// `model.safetensors.index.json` or, where there is none, `model.safetensors`.
/// @param index_json text of the index, nothing where the checkpoint is a single file
std::vector<std::string> needed_weight_files(const std::optional<std::string>& index_json,
                                             const ModelConfig& config, std::size_t layer_count,
                                             const std::string& where);

/// @throws InputError where a layer past the model's last one is asked for.
void check_layer_count(const ModelConfig& config, std::size_t layer_count, const std::string& where);

}  // namespace saescope
