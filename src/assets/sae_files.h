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
/// cannot be written; downloaded where they are missing.
class SaeFiles {
 public:
  /// @param entry must outlive this
  SaeFiles(const ModelEntry& entry, Source source);

  /// What the SAE's format needs. Never a request.
  std::vector<FileNeed> needed() const;

  /// @throws InputError where there is no such SAE, or its files lack something; RunError
  OpenedSae open(Hub& hub, Progress& progress) const;

 private:
  std::filesystem::path fallback_root() const;
  /// The folder where the SAE lies already.
  std::optional<std::filesystem::path> find() const;
  std::filesystem::path fetch(Hub& hub, Progress& progress) const;

  const ModelEntry& entry_;
  Source source_;
  std::string folder_;  ///< below `sae_dir` and in the repository
};

}  // namespace saescope
