#include "assets/checkpoint.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace saescope {

const MappedFile& Checkpoint::map(const std::filesystem::path& place, const LocalCopies& copies) {
  places.push_back(place);
  return *files.emplace_back(std::make_shared<const MappedFile>(copies.of(place)));
}

void check_layer_count(const ModelConfig& config, std::size_t layer_count, const std::string& where) {
  if (layer_count <= config.layers) return;
  throw InputError({.what = "the model has no such layer",
                    .where = where,
                    .expected = fmt::format("layers 0 to {}", config.layers - 1),
                    .found = fmt::format("layer {}", layer_count - 1),
                    .hint = "correct `layers` in the configuration, or --layers"});
}

void add_tensors(NamedTensors& all, NamedTensors&& more, const std::string& where) {
  for (auto& [name, view] : more) {
    if (!all.emplace(name, std::move(view)).second) {
      throw InputError({.what = "tensor " + name + " stands in two files of the checkpoint", .where = where});
    }
  }
}

}  // namespace saescope
