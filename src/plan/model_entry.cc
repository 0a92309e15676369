#include "plan/model_entry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/json_text.h"
#include "base/placeholders.h"

namespace saescope {
namespace {

/// Between the two parts of a trainer that has them.
constexpr std::string_view kL0 = "_l0_";

std::string place_of(const std::string& trainer, int64_t layer) {
  return fmt::format("{}/{}", layer, trainer);
}

/// The layers of the paths that are given one by one for a trainer.
std::vector<std::string> layers_with_paths(const std::map<std::string, std::string>& paths,
                                           const std::string& trainer) {
  std::vector<std::string> layers;
  for (const auto& [place, path] : paths) {
    if (place.ends_with("/" + trainer)) layers.push_back(place.substr(0, place.find('/')));
  }
  return layers;
}

template <typename T>
bool lacks(const std::vector<T>& known, const T& value) {
  return !known.empty() && std::find(known.begin(), known.end(), value) == known.end();
}

}  // namespace

std::string TrainerParts::joined() const { return fmt::format("{}{}{}", width, kL0, l0); }

std::optional<TrainerParts> parts_of_trainer(const std::string& trainer) {
  const std::size_t middle = trainer.find(kL0);
  if (middle == std::string::npos) return std::nullopt;
  return TrainerParts{trainer.substr(0, middle), trainer.substr(middle + kL0.size())};
}

bool is_gguf(const std::filesystem::path& path) { return path.extension() == ".gguf"; }

std::string ModelEntry::sae_folder(const std::string& of_trainer, int64_t layer) const {
  const auto own = sae_paths.find(place_of(of_trainer, layer));
  if (own != sae_paths.end()) return own->second;
  std::string path = fill_placeholders(sae_path, {{"layer", std::to_string(layer)}, {"trainer", of_trainer}});
  const auto parts = parts_of_trainer(of_trainer);
  if (!parts) return path;
  return fill_placeholders(std::move(path), {{"width", parts->width}, {"l0", parts->l0}});
}

bool ModelEntry::has_own_path(const std::string& of_trainer, int64_t layer) const {
  return sae_paths.contains(place_of(of_trainer, layer));
}

std::string ModelEntry::link_of(const std::string& of_trainer, int64_t layer) const {
  const auto own = links.find(of_trainer);
  return fill_placeholders(own == links.end() ? link : own->second,
                           {{"layer", std::to_string(layer)}, {"trainer", of_trainer}});
}

void ModelEntry::require_sae(const std::string& of_trainer, int64_t layer) const {
  const auto refuse = [&](std::string_view of, std::string expected, std::string found) {
    throw InputError({.what = fmt::format("{} has no SAE of this {}", name, of),
                      .where = {},
                      .expected = std::move(expected),
                      .found = std::move(found)});
  };
  if (lacks(sae_layers, layer)) {
    refuse("layer", fmt::format("one of {}", fmt::join(sae_layers, ", ")), std::to_string(layer));
  }
  if (lacks(sae_trainers, of_trainer)) {
    refuse("trainer", fmt::format("one of {}", fmt::join(sae_trainers, ", ")), shown_text(of_trainer));
  }
  const std::vector<std::string> with_paths = layers_with_paths(sae_paths, of_trainer);
  if (!with_paths.empty() && !has_own_path(of_trainer, layer)) {
    refuse("layer and trainer",
           fmt::format("for trainer {} layer {}", of_trainer, fmt::join(with_paths, ", ")),
           std::to_string(layer));
  }
  const bool two_parts =
      sae_path.find("{width}") != std::string::npos || sae_path.find("{l0}") != std::string::npos;
  if (with_paths.empty() && two_parts && !parts_of_trainer(of_trainer)) {
    refuse("trainer", "WIDTH_l0_L0, such as 16k_l0_71", shown_text(of_trainer));
  }
}

}  // namespace saescope
