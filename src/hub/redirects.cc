#include "hub/redirects.h"

#include <fmt/format.h>

#include <utility>

#include "hub/hub_answer.h"
#include "hub/url.h"

namespace saescope {
namespace {

constexpr int kMaxRedirects = 10;

}  // namespace

HttpResponse send_following(HttpClient& client, HttpRequest request, const HeadersFor& headers_for,
                            const StopAt& stop_at) {
  const std::string first_url = request.url;
  const std::vector<std::string> plain_headers = request.headers;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    request.headers = plain_headers;
    for (std::string& line : headers_for(request.url)) request.headers.push_back(std::move(line));
    HttpResponse response = client.send(request);
    if (!is_redirect(response)) return response;
    std::string target = redirect_target(response);
    if (stop_at && stop_at(response, target)) return response;
    request.url = std::move(target);
  }
  throw NetworkError({.what = fmt::format("more than {} redirects", kMaxRedirects),
                      .where = display_url(first_url),
                      .hint = kNotAHub},
                     false);
}

}  // namespace saescope
