#pragma once

#include <filesystem>

#include "base/context.h"
#include "hub/hub.h"
#include "hub/hub_client.h"

namespace saescope {

/// Where a download grows and where it ends, on one file system.
struct DownloadPaths {
  std::filesystem::path incomplete;
  std::filesystem::path destination;
};

/// Brings a file from the hub to `paths.destination`, going on from what lies at
/// `paths.incomplete`, with progress through the context's progress. Call it with the file's lock
/// held.
/// @throws WrongContent where what came is not what `info` says; RunError where the network fails
/// for good or
///         the disk is full; Interrupted. Whatever is of use for a later run stays at
///         `paths.incomplete`.
void download_file(HubClient& client, const HubSettings& settings, const RemoteFile& file,
                   const HubFileInfo& info, const DownloadPaths& paths, const Context& context);

}  // namespace saescope
