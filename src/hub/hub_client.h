#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "hub/http_client.h"
#include "hub/hub.h"
#include "hub/hub_answer.h"
#include "hub/redirects.h"
#include "hub/retry.h"
#include "hub/url.h"

namespace saescope {

/// A file of a repository at a revision (branch, tag or commit).
struct RemoteFile {
  std::string repo;
  std::string revision;
  std::string file;
};

/// What a HEAD request told.
struct RemoteAnswer {
  std::optional<HubFileInfo> info;  ///< nothing where the repository has no such file
  std::string commit;               ///< of the revision; may be empty where the file is missing
};

/// The hub's protocol for single files, as huggingface_hub's file_download.py speaks it. Redirects are
/// followed here, one by one: the token goes to the endpoint's own origin alone, and https is never left.
class HubClient {
 public:
  HubClient(const HubSettings& settings, const Context& context);

  /// Asks for a file's identity; tries again on failures that may pass. @throws as Hub::info
  RemoteAnswer head(const RemoteFile& file, Patience patience);

  /// Asks once for a file's bytes from `offset` on.
  /// @param on_start gets the position in the file of the first byte that will come: `offset`, or 0
  /// where the
  ///        server sends the file from its beginning or refuses the range
  /// @throws NetworkError, WrongContent; as Hub::info where access ended meanwhile
  void get(const RemoteFile& file, const HubFileInfo& expected, uint64_t offset,
           const std::function<void(uint64_t)>& on_start,
           const std::function<void(std::string_view)>& on_body);

  /// The address of a file, for messages.
  std::string url_of(const RemoteFile& file) const;

 private:
  bool is_own_origin(const std::string& url) const;
  HttpResponse send(HttpRequest request, const StopAt& stop_at);
  RemoteAnswer head_once(const RemoteFile& file, std::chrono::seconds stall_timeout);

  HubSettings settings_;
  Context context_;
  Origin origin_;
  HttpClient http_;
};

}  // namespace saescope
