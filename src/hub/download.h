#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "hub/hub.h"

namespace saescope {

/// Where a download grows and where it ends, on one file system.
struct DownloadPaths {
  std::filesystem::path incomplete;
  std::filesystem::path destination;
};

/// A file on a server.
struct RemoteBytes {
  std::string name;  ///< as progress shows it
  std::string url;   ///< as messages show it
  /// Asks once for the bytes from an offset on, as HubClient::get does.
  std::function<void(uint64_t offset, const std::function<void(uint64_t)>& on_start,
                     const std::function<void(std::string_view)>& on_body)>
      get;
};

/// Brings a file to `paths.destination`, going on from what lies at `paths.incomplete`, with progress through
/// the context's progress. Call it with the file's lock held.
/// @throws WrongContent where what came is not what `info` says; RunError where the network fails
/// for good or
///         the disk is full; Interrupted. Whatever is of use for a later run stays at
///         `paths.incomplete`.
void download_file(const RemoteBytes& file, const HubSettings& settings, const HubFileInfo& info,
                   const DownloadPaths& paths, const Context& context);

}  // namespace saescope
