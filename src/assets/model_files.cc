#include "assets/model_files.h"

#include <fmt/format.h>

#include <utility>

#include "assets/folder_model.h"
#include "assets/gguf_model.h"
#include "base/error.h"
#include "base/folder_listing.h"

namespace saescope {

std::unique_ptr<ModelFiles> ModelFiles::open(const ModelEntry& entry, Hub& hub, Progress& progress) {
  if (!entry.model_is_path) return open_hub_model(entry, hub, progress);
  const std::filesystem::path path = entry.model;
  const bool gguf = is_gguf(path);
  const bool exists = gguf ? std::filesystem::is_regular_file(path) : std::filesystem::is_directory(path);
  if (!exists) {
    throw InputError({.what = fmt::format("model {}: no such model", entry.name),
                      .where = entry.model,
                      .expected = gguf ? "a GGUF file" : "a folder in Hugging Face layout",
                      .found = fmt::format("beside it: {}", list_folder(path.parent_path())),
                      .hint = "correct `model` in the configuration"});
  }
  return gguf ? open_gguf_model(entry, progress) : open_folder_model(entry, progress);
}

ModelFiles::ModelFiles(ModelEntry entry, std::filesystem::path path)
    : entry_(std::move(entry)), path_(std::move(path)) {}

const ModelConfig& ModelFiles::config() {
  if (!config_) config_ = read_config();
  return *config_;
}

}  // namespace saescope
