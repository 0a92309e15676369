#include "hub/hub_client.h"

#include <fmt/format.h>

#include <utility>

#include "hub/retry.h"
#include "hub/status_error.h"

namespace saescope {
namespace {

Origin endpoint_origin(const std::string& endpoint) {
  if (auto origin = parse_origin(endpoint)) return *std::move(origin);
  throw InputError({.what = "is not the address of a hub",
                    .where = "'" + endpoint + "'",
                    .expected = "an absolute http or https URL"});
}

/// An error of the storage behind the hub. Asking the hub again gives a fresh signed address.
NetworkError storage_error(const HttpResponse& response) {
  return NetworkError({.what = "the storage behind the hub answers with an error",
                       .where = display_url(response.url),
                       .found = fmt::format("HTTP {}", response.status),
                       .hint = "try again later"},
                      true);
}

}  // namespace

HubClient::HubClient(const HubSettings& settings, const Context& context)
    : settings_(settings),
      context_(context),
      origin_(endpoint_origin(settings.endpoint)),
      http_(settings, context) {}

std::string HubClient::url_of(const RemoteFile& file) const {
  return resolve_file_url(settings_.endpoint, file.repo, file.revision, file.file);
}

bool HubClient::is_own_origin(const std::string& url) const { return parse_origin(url) == origin_; }

HttpResponse HubClient::send(HttpRequest request, const StopAt& stop_at) {
  const auto authorization = [this](const std::string& url) -> std::vector<std::string> {
    if (settings_.token.empty() || !is_own_origin(url)) return {};
    return {"Authorization: Bearer " + settings_.token};
  };
  return send_following(http_, std::move(request), authorization, stop_at);
}

RemoteAnswer HubClient::head_once(const RemoteFile& file, std::chrono::seconds stall_timeout) {
  HttpRequest request;
  request.method = HttpRequest::Method::kHead;
  request.stall_timeout = stall_timeout;
  request.url = url_of(file);
  request.headers = {"Accept-Encoding: identity"};  // the size must be the file's own
  // A redirect off the hub carries the file's facts itself; storage behind it does not know them.
  const HttpResponse response = send(request, [&](const HttpResponse& from, const std::string& next) {
    return !is_own_origin(next) && from.headers.get("x-repo-commit");
  });
  if (is_missing_entry(response)) {
    return {.info = std::nullopt, .commit = read_commit(response).value_or(std::string())};
  }
  if (response.status >= 400) throw_status_error(settings_, file, response);
  HubFileInfo info = read_file_info(response);
  return {.info = info, .commit = info.commit};
}

RemoteAnswer HubClient::head(const RemoteFile& file, Patience patience) {
  return Retry(settings_, context_, patience).run([&] { return head_once(file, patience.stall_timeout); });
}

void HubClient::get(const RemoteFile& file, const HubFileInfo& expected, uint64_t offset,
                    const std::function<void(uint64_t)>& on_start,
                    const std::function<void(std::string_view)>& on_body) {
  HttpRequest request;
  request.url = url_of(file);
  request.headers = {"Accept-Encoding: identity"};
  if (offset > 0) request.headers.push_back(fmt::format("Range: bytes={}-", offset));
  request.on_response = [&](const HttpResponse& response) {
    check_identity(response, expected, is_own_origin(response.url));
    if (response.status != 200 && response.status != 206) return false;
    on_start(start_of_body(response, expected, offset));
    return true;
  };
  request.on_body = on_body;
  const HttpResponse response = send(request, [](const HttpResponse&, const std::string&) { return false; });
  if (response.status == 416) {
    on_start(0);
    throw NetworkError({.what = "the server has no bytes past those that are here",
                        .where = display_url(response.url),
                        .expected = size_text(expected),
                        .found = "HTTP 416"},
                       true);
  }
  if (response.status < 400) return;
  if (!is_own_origin(response.url)) throw storage_error(response);
  throw_status_error(settings_, file, response);
}

}  // namespace saescope
