#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assets/local_copies.h"
#include "model/forward.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// The bound weights of a model's first layers, and the mapped files that they lie in.
struct Checkpoint {
  Model model;
  std::vector<std::shared_ptr<const MappedFile>> files;
  std::vector<std::filesystem::path> places;  ///< where each file lies; what is mapped may be a copy of it

  /// Maps a file of weights, or its local copy.
  const MappedFile& map(const std::filesystem::path& place, const LocalCopies& copies);
};

/// @throws InputError where a layer past the model's last one is asked for.
void check_layer_count(const ModelConfig& config, std::size_t layer_count, const std::string& where);

/// Moves tensors to `all`. @throws InputError where a name stands in two files of the checkpoint `where`
void add_tensors(NamedTensors& all, NamedTensors&& more, const std::string& where);

}  // namespace saescope
