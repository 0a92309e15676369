#include "hub/status_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "hub/url.h"

namespace saescope {
namespace {

/// The server's own words, for a message: bounded, and without characters that could steer a terminal.
std::string server_message(const HttpResponse& response) {
  constexpr std::size_t kLongest = 500;
  std::string text = response.headers.get("x-error-message").value_or(std::string()).substr(0, kLongest);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      ' ');
  return fmt::format("HTTP {}{}{}", response.status, text.empty() ? "" : ": ", text);
}

std::string page_of(const HubSettings& settings, const RemoteFile& file) {
  return fmt::format("{}/{}", settings.endpoint, file.repo);
}

InputError gated_error(const HubSettings& settings, const RemoteFile& file, const HttpResponse& response) {
  const std::string page = page_of(settings, file);
  const std::string hint =
      settings.token.empty()
          ? fmt::format("accept the licence on {}, then set HF_TOKEN to an access token of that account",
                        page)
          : fmt::format(
                "accept the licence on {} with the account whose token is in use (HF_TOKEN or the "
                "stored "
                "token), and see that the token may read gated repositories",
                page);
  return InputError({.what = "the repository is gated: its owner asks for a licence to be accepted first",
                     .where = page,
                     .expected = "access to " + file.file,
                     .found = server_message(response),
                     .hint = hint});
}

InputError unknown_error(const HubSettings& settings, const RemoteFile& file, const HttpResponse& response) {
  const char* hint = settings.token.empty()
                         ? "check its name; a private repository needs HF_TOKEN"
                         : "check its name, and that the token in use may read it if it is private";
  return InputError({.what = "the hub has no such repository, or does not show it to you",
                     .where = page_of(settings, file),
                     .found = server_message(response),
                     .hint = hint});
}

InputError refused_error(const HubSettings& settings, const RemoteFile& file, const HttpResponse& response) {
  return InputError({.what = "the hub refuses access to the repository",
                     .where = page_of(settings, file),
                     .found = server_message(response),
                     .hint = "check the token in use (HF_TOKEN, or the stored token) and what it may read"});
}

InputError revision_error(const HubSettings& settings, const RemoteFile& file, const HttpResponse& response) {
  return InputError({.what = fmt::format("the repository has no revision '{}'", file.revision),
                     .where = page_of(settings, file),
                     .found = server_message(response),
                     .hint = "if an older download in the hub cache named it, remove the repository's "
                             "models--… folder there and run again"});
}

bool is_transient_status(int status) { return status == 408 || status == 429 || status >= 500; }

}  // namespace

NetworkError answer_error(ErrorDetail detail, const HttpResponse& response) {
  const auto wait = response.headers.get("retry-after");
  return NetworkError(std::move(detail), is_transient_status(response.status),
                      wait ? parse_retry_after(*wait, std::time(nullptr)) : std::nullopt);
}

bool is_missing_entry(const HttpResponse& response) {
  if (response.status != 404) return false;
  const auto code = response.headers.get("x-error-code");
  return code ? *code == "EntryNotFound" : response.headers.get("x-repo-commit").has_value();
}

void throw_status_error(const HubSettings& settings, const RemoteFile& file, const HttpResponse& response) {
  const std::string code = response.headers.get("x-error-code").value_or(std::string());
  if (code == "GatedRepo") throw gated_error(settings, file, response);
  if (code == "RevisionNotFound") throw revision_error(settings, file, response);
  if (code == "RepoNotFound") throw unknown_error(settings, file, response);
  if (response.status == 401 || response.status == 403) throw refused_error(settings, file, response);
  if (response.status == 404) throw unknown_error(settings, file, response);
  throw answer_error({.what = "the hub answers with an error",
                      .where = display_url(response.url),
                      .found = server_message(response),
                      .hint = response.status == 429 ? "wait a while; with HF_TOKEN set the limits are wider"
                                                     : "try again later"},
                     response);
}

}  // namespace saescope
