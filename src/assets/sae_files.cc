#include "assets/sae_files.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "base/environment.h"
#include "base/error.h"

namespace saescope {

namespace fs = std::filesystem;

namespace {

/// Of a folder where no SAE lies: what is to be downloaded, or what opening it will miss.
const SaeFormat& format_of(const std::optional<fs::path>& folder) {
  const SaeFormat* const found = folder ? find_sae_format(*folder) : nullptr;
  return found == nullptr ? *sae_formats().front() : *found;
}

}  // namespace

SaeFiles::SaeFiles(const ModelEntry& entry, Source source)
    : entry_(entry), source_(std::move(source)), folder_(entry.sae_folder(source_.trainer, source_.layer)) {}

fs::path SaeFiles::fallback_root() const { return user_cache_folder() / "saes" / entry_.name; }

std::optional<fs::path> SaeFiles::find() const {
  for (const fs::path& root : {fs::path(entry_.sae_dir), fallback_root()}) {
    if (find_sae_format(root / folder_) != nullptr) return root / folder_;
  }
  return std::nullopt;
}

std::vector<FileNeed> SaeFiles::needed() const {
  const auto folder = find();
  const SaeFormat& format = format_of(folder);
  std::vector<FileNeed> needs;
  for (const char* name : format.files) {
    needs.push_back({entry_.sae, fmt::format("{}/{}", folder_, name),
                     folder ? std::optional(*folder / name) : std::nullopt});
  }
  return needs;
}

OpenedSae SaeFiles::open(Hub& hub, Progress& progress) const {
  const auto found = find();
  const fs::path folder = found ? *found : fetch(hub, progress);
  return format_of(folder).open(folder);
}

fs::path SaeFiles::fetch(Hub& hub, Progress& progress) const {
  if (entry_.sae.empty()) {
    throw InputError(
        {.what = fmt::format("no SAE for {}", source_.name()),
         .where = (fs::path(entry_.sae_dir) / folder_).string(),
         .expected = fmt::format("{} in this folder", sae_formats().front()->in_words),
         .hint = fmt::format("put them there, correct `sae_dir` or `sae_path` of [models.{0}], or give "
                             "`sae`, the repository to download them from",
                             entry_.name)});
  }
  const auto fetch_to = [&](const fs::path& root) {
    for (const FileNeed& need : needed()) hub.local_file(need.repo, need.file, root);
    return root / folder_;
  };
  try {
    return fetch_to(entry_.sae_dir);
  } catch (const FolderError&) {
    progress.warn(
        fmt::format("the folder {} (`sae_dir` of [models.{}]) cannot be written; SAEs go to {} instead",
                    entry_.sae_dir, entry_.name, fallback_root().string()));
    return fetch_to(fallback_root());
  }
}

}  // namespace saescope
