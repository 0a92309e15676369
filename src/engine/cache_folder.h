#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"

namespace saescope {

/// The layout of the files. Part of every folder's name: a change of it, or of the numbers, makes old entries
/// unfindable.
inline constexpr std::string_view kActivationsFormat = "saescope activations 4";

/// Where activations are kept when no store is named: a folder of the user's cache. Nothing where the account
/// has no place for one.
std::optional<std::filesystem::path> usual_store();

/// Below a store, the folder of what the jobs of several machines put together.
std::filesystem::path jobs_folder(const std::filesystem::path& store);
/// Says that a job needs nothing of the store any more.
void mark_finished(const std::filesystem::path& job);
/// Says that it does again: a task works on it.
void mark_unfinished(const std::filesystem::path& job);

/// Where weights lie, with size and time of change: what names a model while nobody has read all of it.
std::string places_key(const std::vector<std::filesystem::path>& files);

/// Folder of a model's activations: its name is a digest of what the numbers depend on, so that nothing stale
/// is ever found.
/// @param model what names its weights @param numbers further texts that the numbers depend on
/// (configuration, number type, processor)
std::filesystem::path activations_folder(const std::filesystem::path& store, const std::string& model,
                                         const std::vector<std::string>& numbers);

/// Removes the least recently used files of all models until the store is below `limit` bytes; none while a
/// job in it waits for them, unless nobody has worked on that for a week.
void trim_store(const std::filesystem::path& store, uint64_t limit, Progress& progress);

}  // namespace saescope
