#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/sources.h"
#include "assets/file_need.h"
#include "base/progress.h"
#include "hub/hub.h"
#include "plan/model_entry.h"
#include "sae/formats/sae_format.h"

namespace saescope {

/// The one owner of an SAE's files: below the entry's `sae_dir`, or below the user's cache where that folder
/// cannot be written, or in the hub cache where other programs downloaded them; downloaded where they are
/// missing.
class SaeFiles {
 public:
  /// @param entry, hub must outlive this
  SaeFiles(const ModelEntry& entry, Source source, Hub& hub);

  /// What the SAE's format needs. Never a request.
  std::vector<FileNeed> needed() const;

  /// @throws InputError where there is no such SAE, or its files lack something; RunError
  OpenedSae open(Progress& progress) const;

 private:
  /// Where an SAE lies already.
  struct Place {
    std::filesystem::path path;  ///< its folder, or its one file
    std::filesystem::path root;  ///< below which that is; empty: it is in a snapshot of the hub cache
  };

  /// The folders that may be written: `sae_dir`, and where the account has a home, one below the user's
  /// cache.
  std::vector<std::filesystem::path> roots() const;
  std::optional<Place> find() const;
  /// Where the SAE lies in the end, downloaded where it must be.
  std::filesystem::path settle(Progress& progress) const;
  std::filesystem::path settle_at(const Place& place) const;
  std::optional<std::filesystem::path> find_in_hub_cache() const;
  /// The format of what the repository holds, which is asked for its files' names.
  const SaeFormat& format_in_repository() const;
  std::filesystem::path fetch(Progress& progress) const;
  std::filesystem::path fetch_to(const std::filesystem::path& root, const SaeFormat& format) const;
  /// The files of a format below the entry's `sae_dir`, and in the repository.
  std::vector<std::string> files_of(const SaeFormat& format) const;
  std::string in_folder(const char* file) const;

  const ModelEntry& entry_;
  Hub& hub_;
  Source source_;
  std::string folder_;  ///< below `sae_dir` and in the repository; of an SAE of one file, that file
};

}  // namespace saescope
