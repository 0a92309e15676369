#include "assets/sae_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/environment.h"
#include "base/error.h"
#include "base/folder_listing.h"
#include "hub/names.h"

namespace saescope {

namespace fs = std::filesystem;

namespace {

/// Of a path where no SAE lies: what is to be downloaded, or what opening it will miss.
const SaeFormat& format_of(const fs::path& path) {
  if (const SaeFormat* const found = find_sae_format(path)) return *found;
  const SaeFormat* const single = single_file_format(path.string());
  return single != nullptr ? *single : *sae_formats().front();
}

}  // namespace

SaeFiles::SaeFiles(const ModelEntry& entry, Source source, Hub& hub)
    : entry_(entry),
      hub_(hub),
      source_(std::move(source)),
      folder_(without_sae_file(entry.sae_folder(source_.trainer, source_.layer))) {
  if (folder_ == ".") folder_.clear();  // the repository's own folder
}

std::vector<fs::path> SaeFiles::roots() const {
  std::vector<fs::path> roots = {entry_.sae_dir};
  if (const auto cache = user_cache_folder()) roots.push_back(*cache / "saes" / entry_.name);
  return roots;
}

std::string SaeFiles::in_folder(const char* file) const {
  return folder_.empty() ? std::string(file) : fmt::format("{}/{}", folder_, file);
}

std::vector<std::string> SaeFiles::files_of(const SaeFormat& format) const {
  if (format.files.empty()) return {folder_};
  std::vector<std::string> files;
  for (const char* name : format.files) files.push_back(in_folder(name));
  return files;
}

std::optional<fs::path> SaeFiles::find_in_hub_cache() const {
  if (entry_.sae.empty()) return std::nullopt;
  for (const SaeFormat* format : sae_formats()) {
    if (format->files.empty() != (single_file_format(folder_) != nullptr)) continue;
    std::optional<fs::path> first;
    bool complete = true;
    for (const std::string& file : files_of(*format)) {
      const auto path = hub_.find_cached(entry_.sae, file);
      complete = complete && path;
      if (!first) first = path;
    }
    if (!complete || !first) continue;
    // The first file's own name may have folders in it.
    const std::size_t own = format->files.empty() ? 0 : files_of(*format).front().size() - folder_.size();
    std::string text = first->string();
    text.resize(text.size() - own);
    return fs::path(text);
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
  const SaeFormat& format = place ? format_of(place->path) : format_of(folder_);
  std::vector<FileNeed> needs;
  for (const std::string& file : files_of(format)) {
    std::optional<fs::path> path;
    if (place)
      path = format.files.empty() ? place->path : place->path / fs::path(file).lexically_relative(folder_);
    needs.push_back({entry_.sae, file, path});
  }
  return needs;
}

fs::path SaeFiles::settle_at(const Place& place) const {
  // Only looks whether they are of the revision that is asked for.
  if (!place.root.empty() && !entry_.sae.empty()) return fetch_to(place.root, format_of(place.path));
  if (place.root.empty()) hub_.cached_file(entry_.sae, needed().front().file);  // fixes the commit
  return place.path;
}

fs::path SaeFiles::settle(Progress& progress) const {
  if (const auto place = find()) return settle_at(*place);
  try {
    return fetch(progress);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    // Now that the hub cannot be asked, a snapshot of an unknown commit counts.
    const auto place = find();
    if (!place) throw;
    return settle_at(*place);
  }
}

OpenedSae SaeFiles::open(Progress& progress) const {
  const fs::path path = settle(progress);
  const SaeFormat& format = format_of(path);
  OpenedSae sae = format.open({path, entry_.sae.empty() ? "" : parse_hub_repo(entry_.sae).id,
                               entry_.sae_lens_reading ? SaeReading::kSaeLens : SaeReading::kAuthors});
  sae.format = format.name;
  return sae;
}

const SaeFormat& SaeFiles::format_in_repository() const {
  if (const SaeFormat* single = single_file_format(folder_)) return *single;
  for (const SaeFormat* format : sae_formats()) {
    const std::vector<std::string> files = files_of(*format);
    const bool all = !format->files.empty() && std::all_of(files.begin(), files.end(), [&](const auto& file) {
      return hub_.has_optional(entry_.sae, file);
    });
    if (all) return *format;
  }
  return *sae_formats().front();
}

fs::path SaeFiles::fetch_to(const fs::path& root, const SaeFormat& format) const {
  for (const std::string& file : files_of(format)) hub_.local_file(entry_.sae, file, root);
  for (const char* name : format.optional_files) {
    if (hub_.has_optional(entry_.sae, in_folder(name))) hub_.local_file(entry_.sae, in_folder(name), root);
  }
  return root / folder_;
}

fs::path SaeFiles::fetch(Progress& progress) const {
  if (entry_.sae.empty()) {
    throw InputError(
        {.what = fmt::format("no SAE for {}", source_.name()),
         .where = (fs::path(entry_.sae_dir) / folder_).string(),
         .expected = single_file_format(folder_) != nullptr
                         ? std::string("a file of this name")
                         : fmt::format("in this folder one of: {}", sae_formats_in_words()),
         .found = list_folder(fs::path(entry_.sae_dir) / folder_),
         .hint = fmt::format("put them there, correct `sae_dir` or `sae_path` of [models.{0}], or give "
                             "`sae`, the repository to download them from",
                             entry_.name)});
  }
  const std::vector<fs::path> folders = roots();
  const SaeFormat& format = format_in_repository();
  try {
    return fetch_to(folders.front(), format);
  } catch (const FolderError&) {
    if (folders.size() == 1) throw;
    progress.warn(
        fmt::format("the folder {} (`sae_dir` of [models.{}]) cannot be written; SAEs go to {} instead",
                    entry_.sae_dir, entry_.name, folders.back().string()));
    return fetch_to(folders.back(), format);
  }
}

}  // namespace saescope
