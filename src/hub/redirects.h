#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hub/http_client.h"

namespace saescope {

/// Header lines that only requests to some addresses carry.
using HeadersFor = std::function<std::vector<std::string>(const std::string& url)>;
/// Whether a redirect is itself the answer.
using StopAt = std::function<bool(const HttpResponse& redirect, const std::string& next_url)>;

/// Sends a request and follows redirects one by one; https is never left.
/// @param headers_for looked up anew for each address @param stop_at empty: no redirect is the answer
/// @throws NetworkError, also after 10 redirects
HttpResponse send_following(HttpClient& client, HttpRequest request, const HeadersFor& headers_for,
                            const StopAt& stop_at = {});

}  // namespace saescope
