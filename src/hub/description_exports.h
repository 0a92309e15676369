#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/context.h"
#include "hub/hub.h"

namespace saescope {

/// Where Neuronpedia's public export of explanations is, and where it is kept.
struct ExportSettings {
  /// SAESCOPE_DESCRIPTIONS_URL, without a slash at its end.
  std::string address = "https://neuronpedia-datasets.s3.us-east-1.amazonaws.com";
  std::filesystem::path folder;  ///< below the user's cache; empty where the account has none

  /// @throws InputError on a variable that is no http or https address
  static ExportSettings from_environment();
};

/// Neuronpedia's public export of explanations: `v1/MODEL/SOURCE/explanations/batch-N.jsonl.gz` of its
/// datasets, N from 0 up to the first that is not there. What is here is used without a request; what an
/// earlier run began is gone on with. No token is ever sent. Not thread-safe; several processes may share the
/// folder.
class DescriptionExports {
 public:
  /// @param hub what holds for any download: offline, certificates, retries
  DescriptionExports(ExportSettings settings, const HubSettings& hub, const Context& context);
  ~DescriptionExports();

  /// Whether all files of a source are here.
  bool is_complete(const std::string& model, const std::string& source) const;
  /// Where a source's first file is on the server.
  std::string url_of(const std::string& model, const std::string& source) const;
  /// Where a source's files lie, or would.
  std::filesystem::path folder_of(const std::string& model, const std::string& source) const;

  /// Downloads what is not here of a source's files. @return whether the source has any; false with a warning
  /// where the export has none, or where the run is offline and they are not here
  /// @throws InputError on names that cannot be part of a path, and where there is no folder to download to;
  ///         RunError where the network fails for good or what came is no gzip file; FolderError; Interrupted
  bool fetch(const std::string& model, const std::string& source);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saescope
