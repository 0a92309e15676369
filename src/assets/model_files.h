#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "assets/chat_formatter.h"
#include "assets/checkpoint.h"
#include "assets/file_need.h"
#include "assets/local_copies.h"
#include "base/progress.h"
#include "hub/hub.h"
#include "model/model_config.h"
#include "plan/model_entry.h"

namespace saescope {

/// The one owner of a model's files: a folder in Hugging Face layout, a repository of the hub or a GGUF file.
/// What is read of it is read once, when it is first asked for.
class ModelFiles {
 public:
  /// Finds the model; of one on the hub configuration, tokenizer and chat template are fetched.
  /// @param hub, progress must outlive this
  /// @throws InputError where there is no such model; RunError where the network fails for good
  static std::unique_ptr<ModelFiles> open(const ModelEntry& entry, Hub& hub, Progress& progress);

  virtual ~ModelFiles() = default;
  ModelFiles(const ModelFiles&) = delete;
  ModelFiles& operator=(const ModelFiles&) = delete;

  /// The .gguf file, or the folder that holds configuration and tokenizer.
  const std::filesystem::path& path() const { return path_; }
  const ModelEntry& entry() const { return entry_; }

  /// The hub's name of the model, as far as the files or their place tell; empty where they do not.
  virtual std::string published_name() const { return {}; }

  /// The commit of the hub that the files are of; empty where it is not known.
  virtual std::string revision() const { return {}; }

  /// @throws InputError
  const ModelConfig& config();

  /// Opens the tokenizer and the chat template. They take memory while they are used, so that none are kept.
  /// @throws InputError naming the file and what it lacks
  virtual ChatFormatter formatter() = 0;

  /// The weight files that the first `layer_count` layers lie in. @throws InputError
  virtual std::vector<FileNeed> needed(std::size_t layer_count) = 0;

  /// Opens the weights of the first `layer_count` layers, downloading those of `needed` that are missing.
  /// @param copies what the files are read through
  /// @throws InputError on files that lack something or do not belong together; RunError
  virtual Checkpoint checkpoint(std::size_t layer_count, const LocalCopies& copies) = 0;

 protected:
  ModelFiles(ModelEntry entry, std::filesystem::path path);
  virtual ModelConfig read_config() = 0;

 private:
  ModelEntry entry_;
  std::filesystem::path path_;
  std::optional<ModelConfig> config_;
};

}  // namespace saescope
