#include "hub/hub.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "hub/cache_layout.h"
#include "hub/download.h"
#include "hub/file_lock.h"
#include "hub/hub_client.h"
#include "hub/names.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMain = "main";
/// Asking anew what the file is helps where it changed in between, and where a resumed beginning was damaged.
constexpr int kTriesAtContent = 2;

void check_names(const std::string& repo, const std::string& file) {
  check_repo_id(repo);
  check_file_name(file);
}

std::optional<uint64_t> file_size_of(const fs::path& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  return error ? std::nullopt : std::optional<uint64_t>(size);
}

InputError offline_error(const std::string& repo, const std::string& file, const fs::path& folder) {
  return InputError({.what = "is not on this machine, and the run is offline",
                     .where = fmt::format("{}/{}", repo, file),
                     .expected = fmt::format("a downloaded file below {}", folder.string()),
                     .hint = "run once without --offline and HF_HUB_OFFLINE"});
}

/// Creates a folder and its parents. @throws FolderError where that fails or files cannot be made in it
void create_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0) {
    error = std::error_code(errno, std::generic_category());
  }
  if (!error) return;
  throw FolderError({.what = "cannot create or write the folder files are downloaded to",
                     .where = folder.string(),
                     .found = error.message(),
                     .hint = "choose a folder you may write, or change its permissions"});
}

/// Where a plain folder keeps what belongs to a download, as huggingface_hub's `local_dir` does.
fs::path working_path(const fs::path& folder, const std::string& file, const std::string& suffix) {
  return folder / ".cache" / "huggingface" / "download" / (file + suffix);
}

/// Removes what older versions of the file left unfinished.
void remove_stale(const fs::path& keep, const std::string& prefix) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(keep.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with(prefix) && name.ends_with(".incomplete") && entry.path() != keep) {
      fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace

struct Hub::Impl {
  Impl(HubSettings used, const Context& handed)
      : settings(std::move(used)), context(handed), client(settings, context) {}

  HubSettings settings;
  Context context;
  HubClient client;
  std::map<std::string, std::string> commits;  ///< repository → the commit this run reads

  std::optional<std::string> known_commit(const std::string& repo) const {
    const auto found = commits.find(repo);
    if (found != commits.end()) return found->second;
    return RepoCache(settings.cache, repo).commit();
  }

  RemoteAnswer ask(const std::string& repo, const std::string& file, const std::string& revision) {
    if (settings.offline) throw offline_error(repo, file, settings.cache);
    RemoteAnswer answer = client.head({.repo = repo, .revision = revision, .file = file});
    if (!answer.commit.empty()) commits.emplace(repo, answer.commit);
    return answer;
  }

  /// Asks what the file is and lets `fetch(info)` bring it; once more where something else came.
  /// @return what the hub said last
  template <typename Fetch>
  RemoteAnswer obtain(const std::string& repo, const std::string& file, const std::string& revision,
                      Fetch fetch) {
    for (int tries = 1;; ++tries) {
      RemoteAnswer answer = ask(repo, file, revision);
      if (!answer.info) return answer;
      try {
        fetch(*answer.info);
        return answer;
      } catch (const WrongContent& error) {
        if (tries == kTriesAtContent) throw;
        context.progress->info(
            fmt::format("{}: {}; starting over", error.detail().where, error.detail().what));
      }
    }
  }

  /// Downloads the bytes of a commit's file; the lock is held.
  void download(const std::string& repo, const std::string& file, const HubFileInfo& info,
                const DownloadPaths& paths) {
    download_file(client, settings, {.repo = repo, .revision = info.commit, .file = file}, info, paths,
                  context);
  }

  /// Brings a blob into the cache, where it is not there yet.
  void fetch_blob(const RepoCache& cache, const std::string& repo, const std::string& file,
                  const HubFileInfo& info) {
    const FileLock lock(cache.lock(info.etag), context);
    const fs::path blob = cache.blob(info.etag);
    if (file_size_of(blob) == info.size) return;
    create_writable_folder(blob.parent_path());
    download(repo, file, info, {.incomplete = cache.incomplete(info.etag), .destination = blob});
  }
};

Hub::Hub(HubSettings settings, const Context& context)
    : impl_(std::make_unique<Impl>(std::move(settings), context)) {}

Hub::~Hub() = default;

const HubSettings& Hub::settings() const { return impl_->settings; }

std::optional<fs::path> Hub::find_cached(const std::string& repo, const std::string& file) const {
  check_names(repo, file);
  const auto commit = impl_->known_commit(repo);
  return commit ? RepoCache(impl_->settings.cache, repo).find(*commit, file) : std::nullopt;
}

std::optional<fs::path> Hub::cached_file(const std::string& repo, const std::string& file) {
  check_names(repo, file);
  RepoCache cache(impl_->settings.cache, repo);
  const auto commit = impl_->known_commit(repo);
  if (commit) {
    impl_->commits.emplace(repo, *commit);
    if (auto path = cache.find(*commit, file)) return path;
    if (cache.is_absent(*commit, file)) return std::nullopt;
  }
  const RemoteAnswer answer = impl_->obtain(repo, file, commit.value_or(kMain), [&](const HubFileInfo& info) {
    impl_->fetch_blob(cache, repo, file, info);
  });
  if (!answer.info) {
    if (!answer.commit.empty()) cache.mark_absent(answer.commit, file);
    return std::nullopt;
  }
  fs::path path = cache.link(answer.commit, file, answer.info->etag);
  cache.write_ref(answer.commit);
  return path;
}

fs::path Hub::local_file(const std::string& repo, const std::string& file, const fs::path& folder) {
  check_names(repo, file);
  fs::path path = folder / file;
  if (has_file(path)) return path;
  create_writable_folder(path.parent_path());
  if (impl_->settings.offline) throw offline_error(repo, file, folder);
  const FileLock lock(working_path(folder, file, ".lock"), impl_->context);
  if (has_file(path)) return path;  // another run brought it meanwhile
  const auto pinned = impl_->commits.find(repo);
  const std::string revision = pinned == impl_->commits.end() ? kMain : pinned->second;
  const RemoteAnswer answer = impl_->obtain(repo, file, revision, [&](const HubFileInfo& info) {
    const fs::path incomplete = working_path(folder, file, "." + info.etag + ".incomplete");
    remove_stale(incomplete, path.filename().string() + ".");
    impl_->download(repo, file, info, {.incomplete = incomplete, .destination = path});
  });
  if (answer.info) return path;
  throw InputError({.what = "the repository has no such file",
                    .where = fmt::format("{}/{}", impl_->settings.endpoint, repo),
                    .expected = file,
                    .hint = "check sae and sae_path in the configuration"});
}

std::optional<HubFileInfo> Hub::info(const std::string& repo, const std::string& file) {
  check_names(repo, file);
  return impl_->ask(repo, file, impl_->known_commit(repo).value_or(kMain)).info;
}

}  // namespace saescope
