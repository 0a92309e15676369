#include "hub/hub_client.h"

#include <fmt/format.h>

#include <utility>

#include "hub/names.h"
#include "hub/retry.h"
#include "hub/status_error.h"

namespace saescope {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kSha256Digits = 64;
constexpr const char* kNotAHub =
    "check HF_ENDPOINT and the proxy: something else than a hub may have answered";

bool is_redirect(const HttpResponse& response) {
  return response.status >= 300 && response.status < 400 && response.headers.get("location");
}

Origin endpoint_origin(const std::string& endpoint) {
  if (auto origin = parse_origin(endpoint)) return *std::move(origin);
  throw InputError({.what = "is not the address of a hub",
                    .where = "'" + endpoint + "'",
                    .expected = "an absolute http or https URL"});
}

/// Where a redirect leads. @throws NetworkError where it may not be followed
std::string redirect_target(const std::string& from, const HttpResponse& response) {
  const std::string location = response.headers.get("location").value_or(std::string());
  const auto target = resolve_url(from, location);
  const auto origin = target ? parse_origin(*target) : std::nullopt;
  if (!origin) {
    throw NetworkError({.what = "redirects to what is not a web address",
                        .where = display_url(from),
                        .expected = "an http or https URL",
                        .hint = kNotAHub},
                       false);
  }
  if (from.starts_with("https:") && origin->scheme != "https") {
    throw NetworkError({.what = "redirects from https to plain http, which is refused",
                        .where = display_url(from),
                        .expected = "an https URL",
                        .found = display_url(*target),
                        .hint = kNotAHub},
                       false);
  }
  return *target;
}

template <typename Value>
Value require(const std::optional<Value>& value, const char* header, const HttpResponse& response) {
  if (value) return *value;
  throw NetworkError({.what = fmt::format("the answer has no usable {} header", header),
                      .where = display_url(response.url),
                      .expected = "the answer of a Hugging Face hub",
                      .hint = kNotAHub},
                     false);
}

std::optional<std::string> read_commit(const HttpResponse& response) {
  auto value = response.headers.get("x-repo-commit");
  return value && is_commit_id(*value) ? value : std::nullopt;
}

HubFileInfo read_info(const HttpResponse& response) {
  const auto linked = response.headers.get("x-linked-etag");
  const auto raw = linked ? linked : response.headers.get("etag");
  auto size = response.headers.get("x-linked-size");
  if (!size && !is_redirect(response)) size = response.headers.get("content-length");
  HubFileInfo info;
  info.commit = require(read_commit(response), "X-Repo-Commit", response);
  info.etag = require(raw ? normalize_etag(*raw) : std::nullopt, "ETag", response);
  info.size = require(size ? parse_decimal(*size) : std::nullopt, "Content-Length", response);
  if (is_hex(info.etag, kSha256Digits)) info.sha256 = info.etag;
  return info;
}

WrongContent size_error(const HttpResponse& response, uint64_t expected, uint64_t found) {
  return WrongContent({.what = "the server offers another size than the hub announced",
                       .where = display_url(response.url),
                       .expected = fmt::format("{} bytes", expected),
                       .found = fmt::format("{} bytes", found),
                       .hint = "run again; a proxy in between may alter or cut files"});
}

/// Checks the head of an answer that carries bytes. @return the position in the file of the first
/// of them
uint64_t start_of_body(const HttpResponse& response, const HubFileInfo& expected, uint64_t offset) {
  if (response.status == 206) {
    const auto range = parse_content_range(response.headers.get("content-range").value_or(std::string()));
    if (range && range->size != expected.size) throw size_error(response, expected.size, range->size);
    if (!range || range->first != offset) {
      throw WrongContent({.what = "the server answers with another part of the file than asked for",
                          .where = display_url(response.url),
                          .expected = fmt::format("bytes {}-{}/{}", offset, expected.size - 1, expected.size),
                          .found = response.headers.get("content-range").value_or("no Content-Range"),
                          .hint = "run again"});
    }
    return offset;
  }
  const auto length = response.headers.get("content-length");
  const auto bytes = length ? parse_decimal(*length) : std::nullopt;
  if (bytes && *bytes != expected.size) throw size_error(response, expected.size, *bytes);
  return 0;
}

/// Compares what a GET or one of its redirects names with what the HEAD request found.
/// @throws WrongContent
void check_identity(const HttpResponse& response, const HubFileInfo& expected, bool own_origin) {
  auto raw = response.headers.get("x-linked-etag");
  // The plain ETag of the storage behind the hub follows other rules; the hub's own is the git
  // hash.
  if (!raw && own_origin && !expected.sha256 && response.status < 300) raw = response.headers.get("etag");
  if (!raw) return;
  const auto etag = normalize_etag(*raw);
  if (etag == expected.etag) return;
  throw WrongContent({.what = "the file changed on the hub while it was downloaded",
                      .where = display_url(response.url),
                      .expected = "etag " + expected.etag,
                      .found = etag ? "etag " + *etag : "no usable etag",
                      .hint = "run again"});
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

HttpResponse HubClient::send_following(HttpRequest request, const StopAt& stop_at) {
  const std::string first_url = request.url;
  const std::vector<std::string> plain_headers = request.headers;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    request.headers = plain_headers;
    if (!settings_.token.empty() && is_own_origin(request.url)) {
      request.headers.push_back("Authorization: Bearer " + settings_.token);
    }
    HttpResponse response = http_.send(request);
    if (!is_redirect(response)) return response;
    std::string target = redirect_target(request.url, response);
    if (stop_at(response, target)) return response;
    request.url = std::move(target);
  }
  throw NetworkError({.what = fmt::format("more than {} redirects", kMaxRedirects),
                      .where = display_url(first_url),
                      .hint = kNotAHub},
                     false);
}

RemoteAnswer HubClient::head_once(const RemoteFile& file) {
  HttpRequest request;
  request.method = HttpRequest::Method::kHead;
  request.url = url_of(file);
  request.headers = {"Accept-Encoding: identity"};  // the size must be the file's own
  // A redirect off the hub carries the file's facts itself; storage behind it does not know them.
  const HttpResponse response =
      send_following(request, [&](const HttpResponse& from, const std::string& next) {
        return !is_own_origin(next) && from.headers.get("x-repo-commit");
      });
  if (is_missing_entry(response)) {
    return {.info = std::nullopt, .commit = read_commit(response).value_or(std::string())};
  }
  if (response.status >= 400) throw_status_error(settings_, file, response);
  HubFileInfo info = read_info(response);
  return {.info = info, .commit = info.commit};
}

RemoteAnswer HubClient::head(const RemoteFile& file) {
  Retry retry(settings_, context_);
  while (true) {
    try {
      return head_once(file);
    } catch (const NetworkError& error) {
      retry.wait_or_rethrow(error);
    }
  }
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
  const HttpResponse response =
      send_following(request, [](const HttpResponse&, const std::string&) { return false; });
  if (response.status == 416) {
    on_start(0);
    throw NetworkError({.what = "the server has no bytes past those that are here",
                        .where = display_url(response.url),
                        .expected = fmt::format("{} bytes", expected.size),
                        .found = "HTTP 416"},
                       true);
  }
  if (response.status < 400) return;
  if (!is_own_origin(response.url)) throw storage_error(response);
  throw_status_error(settings_, file, response);
}

}  // namespace saescope
