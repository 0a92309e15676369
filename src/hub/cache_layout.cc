#include "hub/cache_layout.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/atomic_file.h"
#include "base/error.h"
#include "hub/names.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

std::string folder_name(const std::string& repo) {
  std::string name = "models--" + repo;
  if (const std::size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  return name;
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw RunError({.what = "cannot create the folder",
                  .where = folder.string(),
                  .found = error.message(),
                  .hint = "point HF_HUB_CACHE at a folder you may write"});
}

/// Whether an error says that the file system has no symbolic links.
bool means_no_links(const std::error_code& error) {
  return error == std::errc::operation_not_permitted || error == std::errc::operation_not_supported ||
         error == std::errc::function_not_supported;
}

}  // namespace

bool has_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

RepoCache::RepoCache(const fs::path& cache, const std::string& repo)
    : folder_(cache / folder_name(repo)), locks_(cache / ".locks" / folder_name(repo)) {}

fs::path RepoCache::blob(const std::string& etag) const { return folder_ / "blobs" / etag; }

fs::path RepoCache::incomplete(const std::string& etag) const {
  return folder_ / "blobs" / (etag + ".incomplete");
}

fs::path RepoCache::lock(const std::string& etag) const { return locks_ / (etag + ".lock"); }

fs::path RepoCache::snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }

fs::path RepoCache::pointer(const std::string& commit, const std::string& file) const {
  return snapshot(commit) / file;
}

std::optional<std::string> RepoCache::commit(const std::string& revision) const {
  const auto has_snapshot = [&](const std::string& commit) {
    std::error_code error;
    return is_commit_id(commit) && fs::is_directory(snapshot(commit), error);
  };
  const fs::path ref = folder_ / "refs" / revision;
  if (!has_file(ref)) return has_snapshot(revision) ? std::optional(revision) : std::nullopt;
  std::string text = read_file(ref);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return has_snapshot(text) ? std::optional(std::move(text)) : std::nullopt;
}

std::vector<std::string> RepoCache::snapshots() const {
  std::vector<std::string> commits;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "snapshots", error)) {
    std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (is_commit_id(name) && entry.is_directory(ignored)) commits.push_back(std::move(name));
  }
  std::sort(commits.begin(), commits.end());
  return commits;
}

std::optional<fs::path> RepoCache::find(const std::string& commit, const std::string& file) const {
  fs::path path = pointer(commit, file);
  return has_file(path) ? std::optional<fs::path>(std::move(path)) : std::nullopt;
}

bool RepoCache::is_absent(const std::string& commit, const std::string& file) const {
  return has_file(folder_ / ".no_exist" / commit / file);
}

fs::path RepoCache::link(const std::string& commit, const std::string& file, const std::string& etag) {
  fs::path path = pointer(commit, file);
  if (has_file(path)) return path;
  create_folder(path.parent_path());
  std::error_code error;
  fs::remove(path, error);  // a link whose blob is gone
  fs::create_symlink(blob(etag).lexically_relative(path.parent_path()), path, error);
  if (means_no_links(error)) fs::rename(blob(etag), path, error);
  if (error && !has_file(path)) {
    throw RunError({.what = "cannot put the file into the cache's snapshot",
                    .where = path.string(),
                    .found = error.message(),
                    .hint = "point HF_HUB_CACHE at a folder you may write"});
  }
  return path;
}

void RepoCache::write_ref(const std::string& revision, const std::string& commit) {
  if (revision == commit) return;
  const fs::path ref = folder_ / "refs" / revision;
  if (has_file(ref) && read_file(ref) == commit) return;
  create_folder(ref.parent_path());
  write_file_atomically(ref, commit);
}

void RepoCache::mark_absent(const std::string& commit, const std::string& file) {
  const fs::path path = folder_ / ".no_exist" / commit / file;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const std::ofstream touched(path, std::ios::app);
}

}  // namespace saescope
