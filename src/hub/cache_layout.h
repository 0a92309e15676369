#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace saescope {

/// Whether a file, or a link to one, is there; no where the system does not say.
bool has_file(const std::filesystem::path& path);

/// A model repository's folder in the hub cache, laid out as huggingface_hub does:
///
///     models--org--name/blobs/{etag}                        the files
///                       snapshots/{commit}/{file}           links to ../../blobs/{etag}
///                       refs/main                           the commit `main` named last
///                       .no_exist/{commit}/{file}           empty: the commit has no such file
///     .locks/models--org--name/{etag}.lock
///
/// Names given here have passed check_repo_id, check_file_name, is_commit_id and normalize_etag.
class RepoCache {
 public:
  RepoCache(const std::filesystem::path& cache, const std::string& repo);

  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path incomplete(const std::string& etag) const;
  std::filesystem::path lock(const std::string& etag) const;

  /// The commit `refs/main` names, where a snapshot of it is here.
  std::optional<std::string> commit() const;
  /// Path of a file in a commit's snapshot, where it is there.
  std::optional<std::filesystem::path> find(const std::string& commit, const std::string& file) const;
  /// Whether the commit is known to have no such file.
  bool is_absent(const std::string& commit, const std::string& file) const;

  /// Makes the snapshot's link to a blob (where the file system has no links: the blob moves there)
  /// and returns its path. @throws RunError
  std::filesystem::path link(const std::string& commit, const std::string& file, const std::string& etag);
  /// Lets `refs/main` name a commit. @throws RunError
  void write_ref(const std::string& commit);
  /// Remembers that the commit has no such file, where the cache can be written.
  void mark_absent(const std::string& commit, const std::string& file);

 private:
  std::filesystem::path pointer(const std::string& commit, const std::string& file) const;

  std::filesystem::path folder_;
  std::filesystem::path locks_;
};

}  // namespace saescope
