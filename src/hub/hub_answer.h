#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "hub/http_client.h"
#include "hub/hub.h"

namespace saescope {

// What the head of a hub's answer means, apart from the network that brought it.

/// The hint where an answer looks like none of a hub.
inline constexpr const char* kNotAHub =
    "check HF_ENDPOINT and the proxy: something else than a hub may have answered";

/// The bytes offered are not those the hub announced: the file changed meanwhile, or something is broken.
class WrongContent : public RunError {
 public:
  using RunError::RunError;
};

/// The size that the hub announced, for messages.
std::string size_text(const HubFileInfo& info);

bool is_redirect(const HttpResponse& response);

/// Where a redirect leads. @throws NetworkError where it may not be followed
std::string redirect_target(const HttpResponse& response);

/// The commit an answer names; nothing where it names none that can be one.
std::optional<std::string> read_commit(const HttpResponse& response);

/// What the answer to a HEAD request, or the redirect that stands for it, says about a file.
/// @throws NetworkError where a header is missing or unusable
HubFileInfo read_file_info(const HttpResponse& response);

/// Checks the head of an answer that carries bytes from `offset` on or the whole file.
/// @return the position in the file of the first of them @throws WrongContent
uint64_t start_of_body(const HttpResponse& response, const HubFileInfo& expected, uint64_t offset);

/// Compares what a GET or one of its redirects names with what the HEAD request found.
/// @param own_origin whether the hub itself answers, not the storage behind it
/// @throws WrongContent
void check_identity(const HttpResponse& response, const HubFileInfo& expected, bool own_origin);

}  // namespace saescope
