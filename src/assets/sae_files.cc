#include "assets/sae_files.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "base/environment.h"
#include "base/error.h"
#include "base/folder_listing.h"

namespace saescope {

namespace fs = std::filesystem;

namespace {

/// Of a folder where no SAE lies: what is to be downloaded, or what opening it will miss.
const SaeFormat& format_of(const std::optional<fs::path>& folder) {
  const SaeFormat* const found = folder ? find_sae_format(*folder) : nullptr;
  return found == nullptr ? *sae_formats().front() : *found;
}

}  // namespace

SaeFiles::SaeFiles(const ModelEntry& entry, Source source, Hub& hub)
    : entry_(entry),
      hub_(hub),
      source_(std::move(source)),
      folder_(entry.sae_folder(source_.trainer, source_.layer)) {}

std::vector<fs::path> SaeFiles::roots() const {
  std::vector<fs::path> roots = {entry_.sae_dir};
  if (const auto cache = user_cache_folder()) roots.push_back(*cache / "saes" / entry_.name);
  return roots;
}

std::optional<fs::path> SaeFiles::find_in_hub_cache() const {
  if (entry_.sae.empty()) return std::nullopt;
  for (const SaeFormat* format : sae_formats()) {
    std::optional<fs::path> path;
    bool complete = true;
    for (const char* name : format->files) {
      path = hub_.find_cached(entry_.sae, fmt::format("{}/{}", folder_, name));
      complete = complete && path;
    }
    if (complete && path) return path->parent_path();
  }
  return std::nullopt;
}

std::optional<SaeFiles::Place> SaeFiles::find() const {
  for (const fs::path& root : roots()) {
    if (find_sae_format(root / folder_) != nullptr) return Place{root / folder_, root};
  }
  if (auto cached = find_in_hub_cache()) return Place{*std::move(cached), {}};
  return std::nullopt;
}

std::vector<FileNeed> SaeFiles::needed() const {
  const auto place = find();
  const SaeFormat& format = format_of(place ? std::optional(place->folder) : std::nullopt);
  std::vector<FileNeed> needs;
  for (const char* name : format.files) {
    needs.push_back({entry_.sae, fmt::format("{}/{}", folder_, name),
                     place ? std::optional(place->folder / name) : std::nullopt});
  }
  return needs;
}

OpenedSae SaeFiles::open(Progress& progress) const {
  const auto place = find();
  fs::path folder;
  if (!place) {
    folder = fetch(progress);
  } else if (!place->root.empty() && !entry_.sae.empty()) {
    folder = fetch_to(place->root);  // only looks whether they are of the revision that is asked for
  } else {
    folder = place->folder;
    if (place->root.empty()) hub_.cached_file(entry_.sae, needed().front().file);  // fixes the commit
  }
  return format_of(folder).open(folder);
}

fs::path SaeFiles::fetch_to(const fs::path& root) const {
  for (const FileNeed& need : needed()) hub_.local_file(need.repo, need.file, root);
  return root / folder_;
}

fs::path SaeFiles::fetch(Progress& progress) const {
  if (entry_.sae.empty()) {
    throw InputError(
        {.what = fmt::format("no SAE for {}", source_.name()),
         .where = (fs::path(entry_.sae_dir) / folder_).string(),
         .expected = fmt::format("{} in this folder", sae_formats().front()->in_words),
         .found = list_folder(fs::path(entry_.sae_dir) / folder_),
         .hint = fmt::format("put them there, correct `sae_dir` or `sae_path` of [models.{0}], or give "
                             "`sae`, the repository to download them from",
                             entry_.name)});
  }
  const std::vector<fs::path> folders = roots();
  try {
    return fetch_to(folders.front());
  } catch (const FolderError&) {
    if (folders.size() == 1) throw;
    progress.warn(
        fmt::format("the folder {} (`sae_dir` of [models.{}]) cannot be written; SAEs go to {} instead",
                    entry_.sae_dir, entry_.name, folders.back().string()));
    return fetch_to(folders.back());
  }
}

}  // namespace saescope
