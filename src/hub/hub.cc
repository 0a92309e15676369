#include "hub/hub.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "hub/cache_layout.h"
#include "hub/download.h"
#include "hub/download_folder.h"
#include "hub/file_lock.h"
#include "hub/hub_answer.h"
#include "hub/hub_client.h"
#include "hub/names.h"
#include "hub/retry.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// Asking anew what the file is helps where it changed in between, and where a resumed beginning was damaged.
constexpr int kTriesAtContent = 2;

std::optional<uint64_t> file_size_of(const fs::path& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  return error ? std::nullopt : std::optional<uint64_t>(size);
}

/// What a file is worth that the run can do without.
constexpr Patience kPatienceForOptional = {1, std::chrono::seconds(2), std::chrono::seconds(5)};

std::string folder_text(const fs::path& folder) {
  return folder.empty() ? "a folder for downloads; set HF_HOME or HF_HUB_CACHE" : folder.string();
}

InputError offline_error(const std::string& repo, const std::string& file, const fs::path& folder) {
  return InputError({.what = "is not on this machine, and the run is offline",
                     .where = fmt::format("{}/{}", repo, file),
                     .expected = fmt::format("a downloaded file below {}", folder_text(folder)),
                     .hint = "run once without --offline and HF_HUB_OFFLINE"});
}

/// Where a plain folder keeps what belongs to a download, as huggingface_hub's `local_dir` does.
fs::path working_path(const fs::path& folder, const std::string& file, const std::string& suffix) {
  return folder / ".cache" / "huggingface" / "download" / (file + suffix);
}

/// What a file that lies in a plain folder is, as huggingface_hub notes it beside it:
/// `{commit}\n{etag}\n{time}`.
struct LocalNote {
  std::string commit;
  std::string etag;
};

std::optional<LocalNote> read_note(const fs::path& folder, const std::string& file) {
  std::ifstream in(working_path(folder, file, ".metadata"));
  LocalNote note;
  double time = 0;
  if (!(in >> note.commit >> note.etag >> time)) return std::nullopt;
  std::error_code error;
  const auto changed = fs::last_write_time(folder / file, error);
  if (error || !is_commit_id(note.commit)) return std::nullopt;
  const auto seconds = std::chrono::duration<double>(
      std::chrono::file_clock::to_sys(changed).time_since_epoch());  // a file written to later is another one
  return seconds.count() - 1 <= time ? std::optional(note) : std::nullopt;
}

void write_note(const fs::path& folder, const std::string& file, const LocalNote& note) {
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  write_file_atomically(working_path(folder, file, ".metadata"),
                        fmt::format("{}\n{}\n{:.6f}\n", note.commit, note.etag, now.count()));
}

}  // namespace

struct Hub::Impl {
  Impl(HubSettings used, const Context& handed)
      : settings(std::move(used)), context(handed), client(settings, context) {}

  HubSettings settings;
  Context context;
  HubClient client;
  std::map<std::string, std::string> commits;  ///< repository as it was named → the commit this run reads
  std::optional<ErrorDetail> unreachable;      ///< why the hub could not be reached; it is not asked again
  std::set<std::string> told;                  ///< repositories of which that was said
  std::set<std::string> refused;               ///< repositories, as named, that the hub does not show

  RepoCache cache_of(const HubRepo& repo) const { return {settings.cache, repo.id}; }

  std::optional<std::string> known_commit(const std::string& name) const {
    const auto found = commits.find(name);
    if (found != commits.end()) return found->second;
    const HubRepo repo = parse_hub_repo(name);
    return cache_of(repo).commit(repo.revision);
  }

  /// lone_snapshot, from now on.
  std::optional<std::string> only_snapshot(const std::string& name) {
    auto commit = lone_snapshot(name);
    if (!commit) return std::nullopt;
    context.progress->warn(fmt::format(
        "{}: the cache does not say which commit the branch {} is; the only one there, {}, is read", name,
        parse_hub_repo(name).revision, *commit));
    commits.emplace(name, *commit);
    return commit;
  }

  /// A hub that does not answer is waited for where the file comes from nowhere else.
  Patience patience_for(const std::string& name, const std::string& file) const {
    const RepoCache cache = cache_of(parse_hub_repo(name));
    const std::vector<std::string> here = cache.snapshots();
    const bool spare = !known_commit(name) && here.size() == 1 && cache.find(here.front(), file);
    return spare ? kPatienceForOptional : Retry::patience_for_required(settings);
  }

  /// @param name the repository as the user named it @throws NetworkError at once where the hub was not
  /// reached
  RemoteAnswer ask(const std::string& name, const std::string& file, Patience patience) {
    const HubRepo repo = parse_hub_repo(name);
    if (settings.offline) throw offline_error(name, file, settings.cache);
    const RemoteFile remote = {
        .repo = repo.id, .revision = known_commit(name).value_or(repo.revision), .file = file};
    if (unreachable) {
      ErrorDetail detail = *unreachable;
      detail.where = client.url_of(remote);
      throw NetworkError(std::move(detail), false);
    }
    try {
      RemoteAnswer answer = client.head(remote, patience);
      if (!answer.commit.empty()) commits.emplace(name, answer.commit);
      return answer;
    } catch (const NetworkError& error) {
      unreachable = error.detail();
      throw;
    } catch (const InputError&) {
      refused.insert(name);
      throw;
    }
  }

  /// Whether nobody can say which commit a revision is.
  bool cannot_ask(const std::string& name) const {
    return settings.offline || unreachable || refused.contains(name);
  }

  /// What is read then: the only snapshot there is.
  std::optional<std::string> lone_snapshot(const std::string& name) const {
    const HubRepo repo = parse_hub_repo(name);
    std::vector<std::string> commits_here = cache_of(repo).snapshots();
    if (commits_here.size() != 1 || repo.revision != HubRepo().revision) return std::nullopt;
    return std::move(commits_here.front());
  }

  /// Lets `fetch(info)` bring what the hub said a file is, and asks once more where something else came.
  /// @return what the hub said last
  template <typename Fetch>
  RemoteAnswer obtain(const std::string& name, const std::string& file, Patience patience, Fetch fetch) {
    for (int tries = 1;; ++tries) {
      RemoteAnswer answer = ask(name, file, patience);
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
  void download(const HubRepo& repo, const std::string& file, const HubFileInfo& info,
                const DownloadPaths& paths) {
    const RemoteFile remote = {.repo = repo.id, .revision = info.commit, .file = file};
    const auto get = [&](uint64_t offset, const auto& on_start, const auto& on_body) {
      client.get(remote, info, offset, on_start, on_body);
    };
    download_file({fmt::format("{}/{}", repo.id, file), client.url_of(remote), get}, settings, info, paths,
                  context);
  }

  /// Brings a blob into the cache, where it is not there yet.
  void fetch_blob(const HubRepo& repo, const std::string& file, const HubFileInfo& info) {
    if (settings.cache.empty()) {
      throw InputError({.what = "there is no folder to download to: this account has no home folder",
                        .where = fmt::format("{}/{}", repo.id, file),
                        .hint = "set HF_HOME or HF_HUB_CACHE"});
    }
    const RepoCache cache = cache_of(repo);
    const FileLock lock(cache.lock(info.etag), context);
    const fs::path blob = cache.blob(info.etag);
    const std::optional<uint64_t> here = file_size_of(blob);
    if (here && here == info.size.value_or(*here)) return;
    create_writable_folder(blob.parent_path());
    download(repo, file, info, {.incomplete = cache.incomplete(info.etag), .destination = blob});
  }

  /// Where the cache says what a file is: its path, or that the repository has none.
  struct Cached {
    std::optional<fs::path> path;
    bool absent = false;
  };
  Cached look_up(const std::string& name, const std::string& commit, const std::string& file) {
    commits.emplace(name, commit);
    const RepoCache cache = cache_of(parse_hub_repo(name));
    return {cache.find(commit, file), cache.is_absent(commit, file)};
  }

  /// Asks the hub about a file that the run can do without. @return whether it answered
  template <typename Ask>
  bool try_hub(const std::string& name, Ask ask) {
    if (told.contains(name)) return false;
    try {
      ask();
      return true;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      const ErrorDetail& detail = error.detail();
      told.insert(name);
      context.progress->warn(fmt::format(
          "{}: the hub cannot be asked ({}{}{}); files that the cached snapshot lacks count as absent", name,
          detail.what, detail.found.empty() ? "" : ": ", detail.found));
      return false;
    }
  }

  /// The file by the hub's word, into the cache.
  std::optional<fs::path> fetch_cached(const std::string& name, const std::string& file, Patience patience) {
    const HubRepo repo = parse_hub_repo(name);
    const RemoteAnswer answer =
        obtain(name, file, patience, [&](const HubFileInfo& info) { fetch_blob(repo, file, info); });
    RepoCache cache = cache_of(repo);
    if (!answer.info) {
      if (!answer.commit.empty()) cache.mark_absent(answer.commit, file);
      return std::nullopt;
    }
    fs::path path = cache.link(answer.commit, file, answer.info->etag);
    cache.write_ref(repo.revision, answer.commit);
    return path;
  }
};

Hub::Hub(HubSettings settings, const Context& context)
    : impl_(std::make_unique<Impl>(std::move(settings), context)) {}

Hub::~Hub() = default;

const HubSettings& Hub::settings() const { return impl_->settings; }

std::optional<std::string> Hub::commit(const std::string& repo) const {
  const auto found = impl_->commits.find(repo);
  return found == impl_->commits.end() ? std::nullopt : std::optional(found->second);
}

std::optional<fs::path> Hub::find_cached(const std::string& repo, const std::string& file) const {
  check_file_name(file);
  auto commit = impl_->known_commit(repo);
  if (!commit && impl_->cannot_ask(repo)) commit = impl_->lone_snapshot(repo);
  return commit ? impl_->cache_of(parse_hub_repo(repo)).find(*commit, file) : std::nullopt;
}

std::optional<fs::path> Hub::cached_file(const std::string& repo, const std::string& file) {
  check_file_name(file);
  if (const auto commit = impl_->known_commit(repo)) {
    const Impl::Cached cached = impl_->look_up(repo, *commit, file);
    if (cached.path || cached.absent) return cached.path;
  }
  try {
    return impl_->fetch_cached(repo, file, impl_->patience_for(repo, file));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    if (impl_->known_commit(repo)) throw;
    const auto commit = impl_->only_snapshot(repo);
    if (!commit) throw;
    const Impl::Cached cached = impl_->look_up(repo, *commit, file);
    if (!cached.path) throw;
    return cached.path;
  }
}

std::optional<fs::path> Hub::optional_file(const std::string& repo, const std::string& file) {
  check_file_name(file);
  if (!impl_->known_commit(repo)) {
    try {
      return cached_file(repo, file);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      if (!impl_->known_commit(repo)) throw;  // else the only snapshot is read now
    }
  }
  const Impl::Cached cached = impl_->look_up(repo, *impl_->known_commit(repo), file);
  if (cached.path || cached.absent || impl_->settings.offline) return cached.path;
  std::optional<fs::path> path;
  impl_->try_hub(repo, [&] { path = impl_->fetch_cached(repo, file, kPatienceForOptional); });
  return path;
}

bool Hub::has_optional(const std::string& repo, const std::string& file) {
  check_file_name(file);
  const auto commit = impl_->known_commit(repo);
  if (commit) {
    const Impl::Cached cached = impl_->look_up(repo, *commit, file);
    if (cached.path || cached.absent || impl_->settings.offline) return cached.path.has_value();
  }
  RemoteAnswer answer;
  const auto ask = [&] { answer = impl_->ask(repo, file, kPatienceForOptional); };
  if (!commit) {
    ask();
  } else if (impl_->try_hub(repo, ask) && !answer.info && !answer.commit.empty()) {
    impl_->cache_of(parse_hub_repo(repo)).mark_absent(answer.commit, file);
  }
  return answer.info.has_value();
}

bool Hub::is_local_current(const std::string& repo, const std::string& file, const fs::path& folder) {
  const HubRepo parsed = parse_hub_repo(repo);
  const std::optional<LocalNote> note = read_note(folder, file);
  if (note) impl_->commits.emplace(repo, note->commit);
  if (parsed.revision == HubRepo().revision || (note && note->commit == parsed.revision)) return true;
  if (impl_->settings.offline && note && !is_hex(parsed.revision, 40)) return true;
  if (!note) {
    impl_->context.progress->warn(
        fmt::format("{}: nothing beside this file says which revision of {} it is; it is read as it is",
                    (folder / file).string(), parsed.id));
    return true;
  }
  if (impl_->settings.offline) {
    throw InputError(
        {.what = "the file is of another revision than the one that is asked for, and the run is offline",
         .where = (folder / file).string(),
         .expected = repo,
         .found = "commit " + note->commit,
         .hint = "run once without --offline, or pin that commit"});
  }
  impl_->commits.erase(repo);
  const RemoteAnswer answer = impl_->ask(repo, file, Retry::patience_for_required(impl_->settings));
  return answer.info && answer.info->etag == note->etag;
}

fs::path Hub::local_file(const std::string& repo, const std::string& file, const fs::path& folder) {
  check_file_name(file);
  const HubRepo parsed = parse_hub_repo(repo);
  fs::path path = folder / file;
  if (has_file(path) && is_local_current(repo, file, folder)) return path;
  create_writable_folder(path.parent_path());
  if (impl_->settings.offline) throw offline_error(repo, file, folder);
  const FileLock lock(working_path(folder, file, ".lock"), impl_->context);
  if (has_file(path) && is_local_current(repo, file, folder))
    return path;  // another run brought it meanwhile
  const RemoteAnswer answer =
      impl_->obtain(repo, file, Retry::patience_for_required(impl_->settings), [&](const HubFileInfo& info) {
        const fs::path incomplete = working_path(folder, file, "." + info.etag + ".incomplete");
        remove_stale(incomplete, path.filename().string() + ".");
        impl_->download(parsed, file, info, {.incomplete = incomplete, .destination = path});
      });
  if (answer.info) {
    write_note(folder, file, {answer.commit, answer.info->etag});
    return path;
  }
  throw InputError({.what = "the repository has no such file",
                    .where = fmt::format("{}/{}", impl_->settings.endpoint, repo),
                    .expected = file,
                    .hint = "check sae and sae_path in the configuration"});
}

std::optional<HubFileInfo> Hub::info(const std::string& repo, const std::string& file) {
  check_file_name(file);
  return impl_->ask(repo, file, Retry::patience_for_required(impl_->settings)).info;
}

}  // namespace saescope
