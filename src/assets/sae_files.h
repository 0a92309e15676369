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
    std::filesystem::path folder;
    std::filesystem::path root;  ///< below which the folder is; empty: it is a snapshot of the hub cache
  };

  /// The folders that may be written: `sae_dir`, and where the account has a home, one below the user's
  /// cache.
  std::vector<std::filesystem::path> roots() const;
  std::optional<Place> find() const;
  std::optional<std::filesystem::path> find_in_hub_cache() const;
  std::filesystem::path fetch(Progress& progress) const;
  std::filesystem::path fetch_to(const std::filesystem::path& root) const;

  const ModelEntry& entry_;
  Hub& hub_;
  Source source_;
  std::string folder_;  ///< below `sae_dir` and in the repository
};

}  // namespace saescope
