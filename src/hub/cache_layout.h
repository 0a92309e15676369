#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace saescope {

/// Whether a file, or a link to one, is there; no where the system does not say.
bool has_file(const std::filesystem::path& path);

/// A model repository's folder in the hub cache, laid out as huggingface_hub does:
///
///     models--org--name/blobs/{etag}                        the files
///                       snapshots/{commit}/{file}           links to ../../blobs/{etag}
///                       refs/{revision}                     the commit that it named last
///                       .no_exist/{commit}/{file}           empty: the commit has no such file
///     .locks/models--org--name/{etag}.lock
///
/// Names given here have passed parse_hub_repo, check_file_name, is_commit_id and normalize_etag.
class RepoCache {
 public:
  /// @param repo `name` or `org/name`
  RepoCache(const std::filesystem::path& cache, const std::string& repo);
  /// Of a folder `models--org--name` wherever it lies.
  explicit RepoCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path incomplete(const std::string& etag) const;
  std::filesystem::path lock(const std::string& etag) const;

  /// The commit that a revision names, where a snapshot of it is here: `refs/{revision}` says so, or the
  /// revision is itself a commit.
  std::optional<std::string> commit(const std::string& revision) const;
  /// The commits of which there are snapshots, ascending.
  std::vector<std::string> snapshots() const;
  /// Folder of a commit's files.
  std::filesystem::path snapshot(const std::string& commit) const;
  /// Path of a file in a commit's snapshot, where it is there.
  std::optional<std::filesystem::path> find(const std::string& commit, const std::string& file) const;
  /// Whether the commit is known to have no such file.
  bool is_absent(const std::string& commit, const std::string& file) const;

  /// Makes the snapshot's link to a blob (where the file system has no links: the blob moves there)
  /// and returns its path. @throws RunError
  std::filesystem::path link(const std::string& commit, const std::string& file, const std::string& etag);
  /// Lets `refs/{revision}` name a commit, unless the revision is that commit. @throws RunError
  void write_ref(const std::string& revision, const std::string& commit);
  /// Remembers that the commit has no such file, where the cache can be written.
  void mark_absent(const std::string& commit, const std::string& file);

 private:
  std::filesystem::path pointer(const std::string& commit, const std::string& file) const;

  std::filesystem::path folder_;
  std::filesystem::path locks_;
};

}  // namespace saescope
