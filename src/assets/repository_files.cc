#include "assets/repository_files.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/folder_listing.h"
#include "hub/names.h"

namespace saescope {

namespace fs = std::filesystem;

RepositoryFiles::RepositoryFiles(fs::path folder) : folder_(std::move(folder)), where_(folder_.string()) {}

RepositoryFiles::RepositoryFiles(Hub& hub, std::string repo)
    : hub_(&hub), repo_(std::move(repo)), where_(fmt::format("{}/{}", hub.settings().endpoint, repo_)) {}

fs::path RepositoryFiles::require(const std::string& file) const {
  if (hub_ == nullptr) return folder_ / file;  // what reads it says that it is missing
  if (auto path = hub_->cached_file(repo_, file)) return *std::move(path);
  throw InputError({.what = fmt::format("the repository has no file {}", file),
                    .where = where_,
                    .expected = "a checkpoint in Hugging Face layout"});
}

std::optional<fs::path> RepositoryFiles::find(const std::string& file) const {
  if (hub_ != nullptr) return hub_->optional_file(repo_, file);
  return has(file) ? std::optional(folder_ / file) : std::nullopt;
}

std::optional<TokenizerSideFiles::File> RepositoryFiles::text(const std::string& file) const {
  const auto path = find(file);
  if (!path) return std::nullopt;
  return TokenizerSideFiles::File{read_file(*path), path->string()};
}

bool RepositoryFiles::has(const std::string& file) const {
  if (hub_ != nullptr) return hub_->has_optional(repo_, file);
  std::error_code error;
  return fs::exists(folder_ / file, error);  // what is no regular file is refused by what reads it
}

void RepositoryFiles::require_answer(const std::string& file) const {
  if (hub_ != nullptr) hub_->cached_file(repo_, file);
}

FileNeed RepositoryFiles::need(const std::string& file) const {
  if (hub_ == nullptr) return {"", file, folder_ / file};
  return {repo_, file, hub_->find_cached(repo_, file)};
}

std::string RepositoryFiles::listing() const {
  return hub_ == nullptr ? list_folder(folder_) : std::string();
}

std::string RepositoryFiles::repo() const {
  if (hub_ != nullptr) return parse_hub_repo(repo_).id;
  constexpr std::string_view kPrefix = "models--";
  const fs::path cached = fs::absolute(folder_).lexically_normal().parent_path().parent_path();
  std::string name = cached.filename().string();
  if (!name.starts_with(kPrefix)) return {};
  name.erase(0, kPrefix.size());
  if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  return name;
}

std::string RepositoryFiles::commit() const {
  if (hub_ != nullptr) return hub_->commit(repo_).value_or("");
  const fs::path absolute = fs::absolute(folder_).lexically_normal();
  return absolute.parent_path().filename() == "snapshots" ? absolute.filename().string() : "";
}

}  // namespace saescope
