#pragma once

#include <filesystem>
#include <set>
#include <vector>

#include "base/progress.h"
#include "cli/options.h"
#include "hub/description_exports.h"
#include "input/known_notes.h"
#include "plan/model_plan.h"

namespace saescope {

/// The sources whose explanations a column would have fetched: those of a run's SAEs that the entry or its
/// link names; SAEs of which nothing says it are warned about.
/// @param ids ModelEntry::descriptions or ModelEntry::pt_descriptions
std::set<DescriptionKey> fetched_sources(const std::vector<ModelPlan>& models, std::string ModelEntry::*ids,
                                         Progress& progress);

/// What --descriptions and --pt-descriptions name, fetched where they say `auto`.
/// @param exports null: nothing is fetched @throws InputError; as DescriptionExports::fetch
DescriptionPaths obtain_descriptions(const Options& options, const std::vector<ModelPlan>& models,
                                     DescriptionExports* exports, Progress& progress);

}  // namespace saescope
