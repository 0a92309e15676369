#pragma once

#include "hub/http_client.h"
#include "hub/hub_client.h"

namespace saescope {

/// Whether the answer says that the repository is there but has no such file.
bool is_missing_entry(const HttpResponse& response);

/// The error of an answer's status: transient for 408, 429 and 5xx, with the wait that the server asks for.
NetworkError answer_error(ErrorDetail detail, const HttpResponse& response);

/// Turns any other answer with a status of 400 or more into an error the user can act on.
/// @throws InputError where the repository is unknown, private or gated; NetworkError otherwise,
/// transient for
///         408, 429 and 5xx
[[noreturn]] void throw_status_error(const HubSettings& settings, const RemoteFile& file,
                                     const HttpResponse& response);

}  // namespace saescope
