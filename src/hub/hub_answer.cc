#include "hub/hub_answer.h"

#include <fmt/format.h>

#include "hub/names.h"
#include "hub/url.h"

namespace saescope {
namespace {

constexpr std::size_t kSha256Digits = 64;

template <typename Value>
Value require(const std::optional<Value>& value, const char* header, const HttpResponse& response) {
  if (value) return *value;
  throw NetworkError({.what = fmt::format("the answer has no usable {} header", header),
                      .where = display_url(response.url),
                      .expected = "the answer of a Hugging Face hub",
                      .hint = kNotAHub},
                     false);
}

WrongContent size_error(const HttpResponse& response, const HubFileInfo& expected, uint64_t found) {
  return WrongContent({.what = "the server offers another size than the hub announced",
                       .where = display_url(response.url),
                       .expected = size_text(expected),
                       .found = fmt::format("{} bytes", found),
                       .hint = "run again; a proxy in between may alter or cut files"});
}

}  // namespace

std::string size_text(const HubFileInfo& info) {
  return info.size ? fmt::format("{} bytes", *info.size) : "a number of bytes that the hub does not say";
}

bool is_redirect(const HttpResponse& response) {
  return response.status >= 300 && response.status < 400 && response.headers.get("location");
}

std::string redirect_target(const HttpResponse& response) {
  const std::string& from = response.url;
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

std::optional<std::string> read_commit(const HttpResponse& response) {
  auto value = response.headers.get("x-repo-commit");
  return value && is_commit_id(*value) ? value : std::nullopt;
}

HubFileInfo read_file_info(const HttpResponse& response) {
  const auto linked = response.headers.get("x-linked-etag");
  const auto raw = linked ? linked : response.headers.get("etag");
  auto size = response.headers.get("x-linked-size");
  if (!size && !is_redirect(response)) size = response.headers.get("content-length");
  HubFileInfo info;
  info.commit = require(read_commit(response), "X-Repo-Commit", response);
  info.etag = require(raw ? normalize_etag(*raw) : std::nullopt, "ETag", response);
  if (size) info.size = require(parse_decimal(*size), "Content-Length", response);
  if (is_hex(info.etag, kSha256Digits)) info.sha256 = info.etag;
  return info;
}

uint64_t start_of_body(const HttpResponse& response, const HubFileInfo& expected, uint64_t offset) {
  if (response.status == 206) {
    const auto range = parse_content_range(response.headers.get("content-range").value_or(std::string()));
    if (range && expected.size && range->size != *expected.size) {
      throw size_error(response, expected, range->size);
    }
    if (!range || range->first != offset) {
      throw WrongContent({.what = "the server answers with another part of the file than asked for",
                          .where = display_url(response.url),
                          .expected = fmt::format("the bytes from {} on, of {}", offset, size_text(expected)),
                          .found = response.headers.get("content-range").value_or("no Content-Range"),
                          .hint = "run again"});
    }
    return offset;
  }
  const auto length = response.headers.get("content-length");
  const auto bytes = length ? parse_decimal(*length) : std::nullopt;
  if (bytes && expected.size && *bytes != *expected.size) throw size_error(response, expected, *bytes);
  return 0;
}

void check_identity(const HttpResponse& response, const HubFileInfo& expected, bool own_origin) {
  auto raw = response.headers.get("x-linked-etag");
  // The plain ETag of the storage behind the hub follows other rules; the hub's own is the git hash.
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

}  // namespace saescope
