#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"

namespace saescope {

/// Where the hub is and what may be done with it; from the environment as huggingface_hub reads it.
struct HubSettings {
  std::string endpoint = "https://huggingface.co";  ///< HF_ENDPOINT
  std::string token;                                ///< HF_TOKEN, or the stored token; may be empty
  /// HF_HUB_CACHE, or HF_HOME/hub, or ~/.cache/huggingface/hub; empty where the account has no home folder.
  std::filesystem::path cache;
  bool offline = false;  ///< HF_HUB_OFFLINE or --offline
  /// Certificates to trust, a file or a folder: REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE
  /// or SSL_CERT_DIR; empty for the system's (hub/certificates.h).
  std::filesystem::path ca_bundle;
  int retries = 5;                         ///< further tries after a failure that may pass
  std::chrono::milliseconds backoff{500};  ///< wait before the first of them; doubles each time
  std::chrono::seconds stall_timeout{60};  ///< a connection that brings nothing for so long is dropped

  /// Variables set to an empty text count as not set.
  /// @throws InputError on values that cannot be used (a relative endpoint, …).
  static HubSettings from_environment();
};

/// A folder that files should go to cannot be created or written, so that the caller can choose another.
class FolderError : public RunError {
 public:
  using RunError::RunError;
};

/// What the hub says about one file of a repository.
struct HubFileInfo {
  std::string commit;                 ///< X-Repo-Commit
  std::string etag;                   ///< X-Linked-Etag or ETag, without quotes and W/; the blob's name
  std::optional<uint64_t> size;       ///< X-Linked-Size or Content-Length; mirrors may say neither
  std::optional<std::string> sha256;  ///< the etag of an LFS file is its SHA-256
};

/// Files of Hugging Face repositories. Models go into the standard hub cache
/// (`models--org--name/{blobs,refs,snapshots}`), SAEs into a plain folder.
///
/// What is there already is used without a request. Repositories are named `org/name`, or
/// `org/name@revision`; all files of one come from one commit: the one of the cached snapshot, else the
/// one that the revision (`main`) names at the first request. A hub that could not be reached is not asked
/// again. Not thread-safe; several processes may share the folders.
class Hub {
 public:
  Hub(HubSettings settings, const Context& context);
  ~Hub();

  /// Path of `file` of a model repository inside the hub cache: cached, or downloaded now.
  /// Nothing where the repository has no such file (404 for the entry, not for the repository).
  /// @throws InputError where the repository does not exist, is gated, or the run is offline and
  /// the
  ///         file is not cached; RunError where the network fails for good.
  std::optional<std::filesystem::path> cached_file(const std::string& repo, const std::string& file);

  /// The same for a file that the run can do without: where a snapshot of the repository is cached, one
  /// that is not in it counts as absent if the run is offline, or if the hub cannot be reached or refuses
  /// access, which is said once.
  std::optional<std::filesystem::path> optional_file(const std::string& repo, const std::string& file);

  /// Whether the repository has a file that the run can do without; asked as optional_file asks, but nothing
  /// is downloaded.
  bool has_optional(const std::string& repo, const std::string& file);

  /// The commit that this run reads of a repository; nothing before a file of it was asked for.
  std::optional<std::string> commit(const std::string& repo) const;

  /// Path below `folder` of a repository's file, same relative path: there already, or downloaded
  /// now.
  /// @throws FolderError where the folder cannot be created or written (before any request);
  /// InputError
  ///         where the repository has no such file, and as cached_file; RunError as cached_file.
  /// Where `repo` pins a revision, a file that is noted to be another one's is downloaded anew.
  std::filesystem::path local_file(const std::string& repo, const std::string& file,
                                   const std::filesystem::path& folder);

  /// What cached_file would do: the path where it is cached already, else nothing, and never a request. Of a
  /// repository that the hub cannot be asked about, the only snapshot counts.
  std::optional<std::filesystem::path> find_cached(const std::string& repo, const std::string& file) const;

  /// Size and identity of a file, by a HEAD request; nothing where the repository has no such file.
  /// @throws as cached_file; InputError where the run is offline
  std::optional<HubFileInfo> info(const std::string& repo, const std::string& file);

  const HubSettings& settings() const;

 private:
  bool is_local_current(const std::string& repo, const std::string& file,
                        const std::filesystem::path& folder);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saescope
