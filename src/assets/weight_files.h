#pragma once

#include <memory>
#include <string>
#include <vector>

#include "assets/repository_files.h"
#include "formats/safetensors.h"
#include "model/weights.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// The files that hold the weights of a checkpoint in Hugging Face layout. Of several forms the first counts,
/// as in transformers (`_get_resolved_checkpoint_files`): model.safetensors, its shards by
/// model.safetensors.index.json, pytorch_model.bin, its shards by pytorch_model.bin.index.json.
class WeightFiles {
 public:
  /// @throws InputError where there is none of the forms, or an index is malformed
  explicit WeightFiles(const RepositoryFiles& files);

  /// The files that these tensors lie in: all of them where one file holds everything.
  std::vector<std::string> holding(const std::vector<std::string>& tensors) const;
  /// Tensors of a mapped file, named as a causal language model names them: `model.layers.…`. A checkpoint of
  /// the model below it has no `model.`; wrappers of PyTorch put `module.` or `_orig_mod.` in front.
  /// @throws InputError
  NamedTensors parse(const MappedFile& file) const;

 private:
  struct Form;
  static const Form& form_of(const RepositoryFiles& files);

  const Form& form_;
  bool sharded_;
  std::map<std::string, std::string, std::less<>> shard_of_;  ///< tensor, by its usual name → file
};

}  // namespace saescope
