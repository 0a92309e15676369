#include "hub/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace saescope {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

UrlHandle parse(const std::string& url) {
  UrlHandle handle(curl_url());
  if (handle == nullptr || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return nullptr;
  }
  return handle;
}

std::optional<std::string> part(const UrlHandle& handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Percent-encodes `text`, leaving `/` where `keep_slash`.
std::string escape(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' ||
                       c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace

std::optional<Origin> parse_origin(const std::string& url) {
  const UrlHandle handle = parse(url);
  if (handle == nullptr) return std::nullopt;
  const auto scheme = part(handle, CURLUPART_SCHEME);
  const auto host = part(handle, CURLUPART_HOST);
  if (!scheme || !host || host->empty()) return std::nullopt;
  Origin origin{.scheme = lower(*scheme), .host = lower(*host), .port = {}};
  if (origin.scheme != "http" && origin.scheme != "https") return std::nullopt;
  const auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!port) return std::nullopt;
  origin.port = *port;
  return origin;
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& location) {
  const UrlHandle handle = parse(base);
  if (handle == nullptr || curl_url_set(handle.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  return part(handle, CURLUPART_URL);
}

std::string resolve_file_url(std::string_view endpoint, std::string_view repo, std::string_view revision,
                             std::string_view file) {
  return fmt::format("{}/{}/resolve/{}/{}", endpoint, escape(repo, true), escape(revision, false),
                     escape(file, true));
}

std::string escape_path(std::string_view path) { return escape(path, true); }

std::string display_url(const std::string& url) {
  const UrlHandle handle = parse(url);
  if (handle == nullptr) return "(a URL that cannot be read)";
  for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(handle.get(), secret, nullptr, 0);
  }
  return part(handle, CURLUPART_URL).value_or(std::string());
}

}  // namespace saescope
