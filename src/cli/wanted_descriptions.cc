#include "cli/wanted_descriptions.h"

#include <fmt/format.h>

#include "base/error.h"

namespace saescope {
namespace {

/// The files or folders that one flag names.
std::vector<std::filesystem::path> paths_of(const std::filesystem::path& option, std::string ModelEntry::*ids,
                                            const std::vector<ModelPlan>& models, DescriptionExports* exports,
                                            Progress& progress) {
  if (option.empty()) return {};
  if (option != kFetchedDescriptions) return {option};
  if (exports == nullptr) return {};
  std::vector<std::filesystem::path> folders;
  for (const auto& [model, source] : fetched_sources(models, ids, progress)) {
    if (exports->fetch(model, source)) folders.push_back(exports->folder_of(model, source));
  }
  return folders;
}

}  // namespace

std::set<DescriptionKey> fetched_sources(const std::vector<ModelPlan>& models, std::string ModelEntry::*ids,
                                         Progress& progress) {
  // A link leads to the explanations of the features as they are, which are those of --descriptions.
  const bool links_count = ids == &ModelEntry::descriptions;
  std::set<DescriptionKey> keys;
  for (const ModelPlan& model : models) {
    for (const LayerPlan& layer : model.layers) {
      for (const SourcePlan& plan : layer.sources) {
        auto key = published_source(model.entry, plan.source, ids);
        if (key && (links_count || !(model.entry.*ids).empty())) {
          keys.insert(*std::move(key));
          continue;
        }
        progress.warn(fmt::format(
            "{}: nothing says which of Neuronpedia's sources it is; {} = \"MODEL_ID/SOURCE_ID\" in "
            "[models.{}] does",
            plan.source.name(), links_count ? "descriptions" : "pt_descriptions", model.entry.name));
      }
    }
  }
  return keys;
}

DescriptionPaths obtain_descriptions(const Options& options, const std::vector<ModelPlan>& models,
                                     DescriptionExports* exports, Progress& progress) {
  if (!options.describes()) return {};
  return {paths_of(options.descriptions, &ModelEntry::descriptions, models, exports, progress),
          paths_of(options.pt_descriptions, &ModelEntry::pt_descriptions, models, exports, progress)};
}

}  // namespace saescope
